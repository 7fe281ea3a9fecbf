#include "clients/cpp/outbox.h"

#include <algorithm>
#include <utility>

#include "base/uuid.h"
#include "proto/frame.h"

namespace holdfast::client {

namespace {
/// Idle lanes are kept up to this many, so that a client of few conversations allocates nothing per message.
constexpr std::size_t kIdleLanesMax = 64;

void set_frame(std::string& frame, const v1::ClientFrame& post) {
  frame.clear();
  append_frame(frame, post);
}
}  // namespace

Status Outbox::add(std::uint64_t request_id, v1::ClientFrame& post, SendCallback done) {
  if (entries_.size() >= options_.messages_max)
    return Error{Errc::retry_later,
                 "the outbox holds " + std::to_string(entries_.size()) + " messages that are not acknowledged"};
  const auto conversation = ConversationId::from_bytes(post.post().conversation_id());
  if (!conversation) return Error{Errc::invalid_argument, "a conversation id has 16 bytes"};
  post.set_request_id(request_id);
  Entry& entry = entries_.emplace_back();
  entry.request_id = request_id;
  entry.conversation = *conversation;
  entry.id = RequestId::from_bytes(post.post().client_message_id()).value_or(RequestId());
  entry.done = std::move(done);
  set_frame(entry.frame, post);
  ++queued_;
  if (entry.id.is_zero()) ++unnamed_;
  return Ok{};
}

Status Outbox::restore(std::uint64_t request_id, const std::string& payload) {
  v1::ClientFrame frame;
  if (!frame.ParseFromString(payload) || !frame.has_post()) return Error{Errc::corrupt, "not a post in the outbox"};
  return add(request_id, frame, nullptr);
}

RequestId Outbox::next_id(WallTime server_now, Random& random) {
  last_id_ = make_uuid7_above(last_id_, server_now, random);
  return last_id_;
}

void Outbox::name_all(WallTime server_now, Random& random) {
  for (Entry& entry : entries_) {
    if (unnamed_ == 0) return;
    if (!entry.id.is_zero()) continue;
    entry.id = next_id(server_now, random);
    --unnamed_;
    v1::ClientFrame post;
    const bool good = post.ParseFromString(entry.frame.substr(kFrameHeaderBytes));
    HF_CHECK(good, "an outbox entry is what we serialized");
    post.mutable_post()->set_client_message_id(entry.id.str());
    set_frame(entry.frame, post);
  }
}

void Outbox::pump(SteadyTime now, std::string& out) {
  HF_CHECK(unnamed_ == 0, "a message is tried only under its final id");
  if (queued_ == 0) return;
  for (Entry& entry : entries_) {
    if (entry.in_flight) continue;
    Lane& lane = lanes_[entry.conversation];
    if (lane.in_flight >= options_.sends_ahead_max || now < lane.not_before) continue;
    out += entry.frame;
    entry.in_flight = true;
    entry.sent_at = now;
    ++lane.in_flight;
    if (--queued_ == 0) return;
  }
}

void Outbox::requeue(Entry& entry) {
  if (!entry.in_flight) return;
  entry.in_flight = false;
  ++queued_;
  --lanes_[entry.conversation].in_flight;
}

void Outbox::disconnected() {
  for (Entry& entry : entries_) requeue(entry);
  for (auto& [conversation, lane] : lanes_) lane.not_before = SteadyTime::min();
}

Outbox::Entries::iterator Outbox::find(std::uint64_t request_id) {
  // Answers come nearly in the order of the requests, so this ends near the front.
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.request_id == request_id; });
}

Outbox::Answered Outbox::take(Entries::iterator entry) {
  requeue(*entry);
  --queued_;
  if (entry->id.is_zero()) --unnamed_;
  Answered answered;
  answered.result.conversation = entry->conversation;
  answered.result.client_message_id = entry->id;
  answered.result.put_off = entry->put_off;
  answered.done = std::move(entry->done);
  entries_.erase(entry);
  if (entries_.empty() && lanes_.size() > kIdleLanesMax) lanes_.clear();
  return answered;
}

std::optional<Outbox::Answered> Outbox::answered(std::uint64_t request_id, const v1::ChangeReply& reply) {
  const auto entry = find(request_id);
  if (entry == entries_.end()) return std::nullopt;
  Answered answered = take(entry);
  answered.result.number = reply.number();
  answered.result.time_ms = reply.time_ms();
  return answered;
}

std::optional<Outbox::Answered> Outbox::refused(std::uint64_t request_id, Failure failure) {
  const auto entry = find(request_id);
  if (entry == entries_.end()) return std::nullopt;
  Answered answered = take(entry);
  answered.result.failure = std::move(failure);
  return answered;
}

bool Outbox::postpone(std::uint64_t request_id, SteadyTime not_before) {
  const auto entry = find(request_id);
  if (entry == entries_.end()) return false;
  requeue(*entry);
  ++entry->put_off;
  Lane& lane = lanes_[entry->conversation];
  lane.not_before = std::max(lane.not_before, not_before);
  return true;
}

std::optional<Outbox::Answered> Outbox::fail_first(const Failure& failure) {
  if (entries_.empty()) return std::nullopt;
  Answered answered = take(entries_.begin());
  answered.result.failure = failure;
  return answered;
}

SteadyTime Outbox::next_deadline() const {
  SteadyTime earliest = SteadyTime::max();
  if (entries_.empty()) return earliest;
  // The first entry is the one that has waited longest for its answer.
  if (entries_.front().in_flight) earliest = entries_.front().sent_at + options_.answer_max;
  if (queued_ == 0) return earliest;
  for (const auto& [conversation, lane] : lanes_)
    if (lane.not_before != SteadyTime::min()) earliest = std::min(earliest, lane.not_before);
  return earliest;
}

void Outbox::expire(SteadyTime now) {
  for (auto& [conversation, lane] : lanes_)
    if (lane.not_before <= now) lane.not_before = SteadyTime::min();
  for (Entry& entry : entries_)
    if (entry.in_flight && entry.sent_at + options_.answer_max <= now) requeue(entry);
}

std::vector<std::string> Outbox::payloads() const {
  std::vector<std::string> all;
  all.reserve(entries_.size());
  for (const Entry& entry : entries_) all.push_back(entry.frame.substr(kFrameHeaderBytes));
  return all;
}

}  // namespace holdfast::client
