// ClientMachine: other nodes. Which there are, and how a live session goes to one without being away.
#include <algorithm>
#include <utility>

#include "clients/cpp/client_machine.h"
#include "proto/frame.h"

namespace holdfast::client {

using std::chrono::milliseconds;

namespace {
constexpr std::uint64_t kMoveDelayMaxMs = 60'000;
}

template <class Repeated>
std::vector<std::string> addresses_of(const Repeated& endpoints) {
  std::vector<std::string> addresses;
  for (const auto& one : endpoints) addresses.push_back(one.address());
  return addresses;
}

void ClientMachine::learn_endpoints(SteadyTime now, const RepeatedEndpoints& endpoints) {
  const auto before = endpoints_.ranked();
  endpoints_.set_ranked(addresses_of(endpoints));
  if (store_ != nullptr && endpoints_.ranked() != before) save_at_ = std::min(save_at_, now + kSaveAfter);
}

void ClientMachine::on_move(SteadyTime now, const v1::MovePush& push) {
  if (state_ != State::online || token_.empty()) return;
  learn_endpoints(now, push.targets());
  if (move_.state() != Move::State::none) return;
  std::vector<Endpoint> targets;
  for (const auto& address : addresses_of(push.targets()))
    if (auto target = endpoints_.parse(address); target && *target != endpoints_.current())
      targets.push_back(std::move(*target));
  move_.begin(std::move(targets), now + milliseconds(std::min(push.delay_ms(), kMoveDelayMaxMs)));
}

void ClientMachine::tick_move(SteadyTime now) {
  if (now < move_.deadline()) return;
  if (move_.has_connection()) return fail_move(now, milliseconds(0));
  const milliseconds time_max = move_.is_second_round() ? options_.reconnect.later_try_max : options_.reconnect.try_max;
  move_.connecting(now, now + time_max);
  wish_.open_next = move_.target();
  wish_.next_time_max = time_max;
}

void ClientMachine::fail_move(SteadyTime now, milliseconds retry_after) {
  if (move_.has_connection()) wish_.close_next = true;
  wish_.open_next.reset();
  move_.failed(after_wait(now, retry_after));
}

void ClientMachine::next_open() {
  if (move_.state() != Move::State::connecting) return;
  const std::uint64_t hello_id = ++last_request_id_;
  const std::uint64_t resume_id = ++last_request_id_;
  append_frame(move_.output(), hello_frame(hello_id));
  append_frame(move_.output(), resume_frame(resume_id));
  move_.greeting(hello_id, resume_id, inbox_.delivered());
}

void ClientMachine::next_lost(SteadyTime now, milliseconds retry_after) {
  if (move_.has_connection()) fail_move(now, retry_after);
}

void ClientMachine::next_receive(SteadyTime now, std::string_view payload) {
  if (move_.state() != Move::State::greeting) return;
  now_ = now;
  v1::ServerFrame frame;
  if (!frame.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return fail_move(now, milliseconds(0));
  if (frame.request_id() == move_.hello_id() && frame.has_hello()) return learn_time(now, frame.hello());
  if (frame.request_id() == move_.resume_id() && frame.has_session()) return finish_move(now, frame.session());
  // Whatever it is, nobody is worse off: the session lives where it was.
  fail_move(now, frame.has_error() ? refused(frame.error()).retry_after : milliseconds(0));
}

void ClientMachine::finish_move(SteadyTime now, const v1::SessionReply& reply) {
  const Moved moved{endpoints_.current(), move_.target(),
                    std::chrono::duration_cast<milliseconds>(now - move_.started())};
  // The old connection delivered on while the new one was asked for: the head that the new node tells may lie before
  // what we have by now, without anything being lost.
  std::uint64_t head = reply.inbox_head();
  if (head >= move_.cursor()) head = std::max(head, inbox_.delivered());
  out_.clear();
  outbox_.disconnected();
  requests_.disconnected();
  inbox_.resumed(reply.cursor(), head);
  start_liveness(now);
  endpoints_.moved_to(moved.to);
  learn_endpoints(now, reply.endpoints());
  session_.cursor = reply.cursor();
  session_.inbox_head = reply.inbox_head();
  move_.cancel();
  online_since_ = now;
  ++resumes_;
  wish_.switch_over = true;
  events_->on_moved(moved);
}

}  // namespace holdfast::client
