#include "server/bus/feed.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::bus {

void Feed::committed(std::shared_ptr<const log::Entry> entry) {
  const Seq seq(entry->seq());
  HF_CHECK(seq == committed_.next(), "entries are committed in order");
  const bool follows = waiting_.empty() ? seq == next_ : waiting_.back()->seq() + 1 == seq.value;
  committed_ = seq;
  if (follows && !reading_ && waiting_.size() < bounds_.entries_max) {
    waiting_.push_back(std::move(entry));
    skip_eventless();
  }
}

std::optional<Seq> Feed::take_read() {
  if (reading_ || !waiting_.empty() || next_ > committed_) return std::nullopt;
  reading_ = true;
  return next_;
}

void Feed::read(std::vector<std::shared_ptr<const log::Entry>> entries) {
  HF_CHECK(reading_, "only what was asked for is read");
  reading_ = false;
  for (auto& entry : entries) {
    if (Seq(entry->seq()) > committed_) break;  // appended, not yet committed: it comes by the commit
    HF_CHECK(entry->seq() == (waiting_.empty() ? next_.value : waiting_.back()->seq() + 1), "the log is read in order");
    waiting_.push_back(std::move(entry));
  }
  skip_eventless();
}

std::optional<Feed::Next> Feed::next() {
  if (waiting_.empty() || under_way_.size() >= bounds_.events_under_way) return std::nullopt;
  return Next{waiting_.front(), event_};
}

void Feed::taken(std::uint32_t commands) {
  HF_CHECK(!waiting_.empty(), "taken() follows next()");
  if (commands > 0) under_way_.push_back({next_, event_, commands});
  ++event_;
  skip_eventless();
}

void Feed::done(Seq seq, std::uint32_t event) {
  const auto at = std::ranges::lower_bound(under_way_, std::pair(seq, event), {},
                                           [](const UnderWay& u) { return std::pair(u.seq, u.event); });
  HF_CHECK(at != under_way_.end() && at->seq == seq && at->event == event && at->open > 0, "done once");
  --at->open;
  while (!under_way_.empty() && under_way_.front().open == 0) under_way_.pop_front();
  move_cursor();
}

void Feed::skip_eventless() {
  while (!waiting_.empty() && event_ >= static_cast<std::uint32_t>(waiting_.front()->events_size())) {
    waiting_.pop_front();
    next_ = next_.next();
    event_ = 0;
  }
  move_cursor();
}

void Feed::move_cursor() {
  const Seq first_open = under_way_.empty() ? next_ : under_way_.front().seq;
  const Seq done(first_open.value - 1);
  HF_CHECK(done >= cursor_, "a cursor does not go back");
  cursor_ = done;
}

}  // namespace holdfast::bus
