#include "tools/holdfast-load/talk.h"

#include <algorithm>

#include "tools/holdfast-load/body.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {

void Talk::send(Session& writer, SteadyTime planned) {
  const std::uint64_t sequence = ledger_.sent(planned);
  if (figures_ != nullptr) figures_->sent();
  auto done = [this, sequence](const client::SendResult& result) {
    if (result.put_off > 0) put_off(sequence, result.put_off);
    if (result.ok()) return on_sent(sequence, result.number);
    if (result.failure->cause != client::Failure::Cause::closed) tally_.error("send: " + result.failure->str());
  };
  auto taken = writer.client().send(conversation_, make_body(index_, sequence, body_bytes_), std::move(done));
  if (!taken) tally_.error("send: " + taken.error().message);
}

void Talk::put_off(std::uint64_t sequence, std::uint32_t how_often) {
  ledger_.put_off(sequence);
  put_off_.push_back(sequence);
  tally_.counts["put_off"] += how_often;
}

void Talk::on_sent(std::uint64_t sequence, std::uint64_t number) {
  newest_number_ = std::max(newest_number_, number);
  const auto planned = ledger_.acknowledged(sequence, number);
  if (planned && figures_ != nullptr) figures_->acked(*planned, steady_now());
}

bool Talk::shown(std::size_t viewer, const v1::Change& change) {
  std::optional<std::uint64_t> sequence;
  if (change.has_posted()) {
    sequence = read_body(change.posted().body(), index_, body_bytes_);
    if (!sequence) tally_.error("a body is not what was sent");
  }
  newest_number_ = std::max(newest_number_, change.number());
  const auto before = ledger_.findings();
  const auto planned = ledger_.shown(viewer, change.number(), sequence);
  const bool reads = viewer != 0 || !writer_is_viewer_0_;
  if (planned && figures_ != nullptr && reads) figures_->delivered(*planned, steady_now());
  const bool again = ledger_.findings().duplicated != before.duplicated;
  return sequence && !again;
}

}  // namespace holdfast::load
