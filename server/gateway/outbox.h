/// What a connection has yet to send: frames with their length prefixes, one after the other, and which of those bytes
/// were deliveries, so that their credit goes back when the socket has taken them.
///
/// Value; owned by a Session. Bounded by its owner: deliveries by their credit, answers by pausing the reading.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/client.pb.h"

namespace holdfast::gateway {

class Outbox {
 public:
  void add(const v1::ServerFrame& frame);
  /// An already serialized frame, without its length; `credited` ones count for take_credit().
  void add(std::string_view frame, bool credited);

  /// The bytes for a TCP stream. Good until the next call that is not const.
  std::string_view bytes() const { return std::string_view(bytes_).substr(taken_); }
  /// The first frame without its length, for carriers that have their own framing. Not empty().
  std::string_view front() const;
  void took(std::size_t bytes);
  /// front() was sent.
  void took_front();

  bool empty() const { return taken_ == bytes_.size(); }
  std::size_t size() const { return bytes_.size() - taken_; }
  /// Bytes of credited frames (without length prefix) that were taken whole since the last call.
  std::uint64_t take_credit();
  /// Frames added since the last call, for figures.
  std::uint64_t take_frames() { return std::exchange(frames_, 0); }
  /// Gives memory back if there is nothing to send.
  void release_memory();

 private:
  struct Mark {
    std::uint64_t end;    ///< position in the stream of all bytes ever sent
    std::uint64_t bytes;  ///< of credit
  };
  void settle_marks();

  std::string bytes_;
  std::size_t taken_ = 0;          ///< of bytes_
  std::uint64_t sent_before_ = 0;  ///< position in the stream of bytes_[0]
  std::vector<Mark> marks_;        ///< rising; from first_mark_ on
  std::size_t first_mark_ = 0;
  std::uint64_t credit_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace holdfast::gateway
