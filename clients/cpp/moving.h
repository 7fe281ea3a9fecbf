/// A client on its way to another node while it is still served by the old one. Sans-IO value; owned by ClientMachine.
///
/// It is told when and where to, says when a target is to be tried, and keeps what belongs to the connection being made.
/// Each target gets two tries; after that the move is given up, and the old node's good-bye will do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "clients/cpp/endpoint.h"

namespace holdfast::client {

class Move {
 public:
  enum class State {
    none,
    waiting,     ///< for the time of the next try
    connecting,  ///< the driver was asked to connect to target()
    greeting,    ///< connected; hello and resume are under way
  };

  /// Without targets: nothing happens.
  void begin(std::vector<Endpoint> targets, SteadyTime at);
  void cancel() { *this = Move(); }

  State state() const { return state_; }
  bool has_connection() const { return state_ == State::connecting || state_ == State::greeting; }
  const Endpoint& target() const { return targets_[tries_ % targets_.size()]; }
  /// When the state ends by itself: waiting, the next try is due; else, the try has taken too long.
  SteadyTime deadline() const { return deadline_; }
  SteadyTime started() const { return started_; }
  /// The first tries of all targets are over.
  bool is_second_round() const { return tries_ >= targets_.size(); }

  void connecting(SteadyTime now, SteadyTime until);
  /// `cursor`: what the resume asks for.
  void greeting(std::uint64_t hello_id, std::uint64_t resume_id, std::uint64_t cursor);
  /// This target can't be had; the next one is due at `again`, if it is not given up.
  void failed(SteadyTime again);

  std::uint64_t hello_id() const { return hello_id_; }
  std::uint64_t resume_id() const { return resume_id_; }
  std::uint64_t cursor() const { return cursor_; }
  std::string& output() { return output_; }

 private:
  State state_ = State::none;
  std::vector<Endpoint> targets_;
  std::size_t tries_ = 0;  ///< that failed
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime started_{};
  std::uint64_t hello_id_ = 0;
  std::uint64_t resume_id_ = 0;
  std::uint64_t cursor_ = 0;
  std::string output_;
};

}  // namespace holdfast::client
