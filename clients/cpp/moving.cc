#include "clients/cpp/moving.h"

#include <utility>

#include "base/check.h"

namespace holdfast::client {

void Move::begin(std::vector<Endpoint> targets, SteadyTime at) {
  cancel();
  if (targets.empty()) return;
  targets_ = std::move(targets);
  state_ = State::waiting;
  deadline_ = at;
}

void Move::connecting(SteadyTime now, SteadyTime until) {
  HF_CHECK(state_ == State::waiting, "one try at a time");
  state_ = State::connecting;
  started_ = now;
  deadline_ = until;
}

void Move::greeting(std::uint64_t hello_id, std::uint64_t resume_id, std::uint64_t cursor) {
  state_ = State::greeting;
  hello_id_ = hello_id;
  resume_id_ = resume_id;
  cursor_ = cursor;
}

void Move::failed(SteadyTime again) {
  output_.clear();
  ++tries_;
  if (tries_ >= 2 * targets_.size()) return cancel();
  state_ = State::waiting;
  deadline_ = again;
}

}  // namespace holdfast::client
