/// Partition: its subscribers follow the committed events, and its timers run.
#include "base/check.h"
#include "proto/state.pb.h"
#include "server/partition_internal.h"
#include "storage/keys.h"

namespace holdfast {

/// Cursors ride in the next entry and never cause one.
void Partition::write_cursors(log::Entry& entry) {
  for (auto& follower : followers_) {
    if (follower->feed.cursor() == follower->cursor_written) continue;
    follower->cursor_written = follower->feed.cursor();
    state::Cursor cursor;
    cursor.set_seq(follower->cursor_written.value);
    log::Write& write = *entry.add_writes();
    write.set_key(keys::cursor(follower->subscriber->name()));
    write.set_put(cursor.SerializeAsString());
  }
}

void Partition::run_followers() {
  for (std::size_t i = 0; i < followers_.size(); ++i) follow(i);
}

void Partition::follow(std::size_t index) {
  Follower& follower = *followers_[index];
  if (follower.needs.open > 0) return;
  while (const auto next = follower.feed.next()) {
    bus::Outcome outcome;
    RowView view(*this, follower.needs);
    follower.subscriber->on_event({options_.id, options_.partitions, *next->entry, next->event}, view, outcome);
    if (view.missing()) return want(follower.needs);
    let_go(follower.needs);
    follower.needs.ranges.clear();
    for (auto& [target, command] : outcome.commands) {
      auto& source = *command.mutable_source();
      source.set_subscriber(std::string(follower.subscriber->name()));
      source.set_partition(options_.id.value);
      source.set_seq(next->entry->seq());
      source.set_event(next->event);
      ready_.commands.push_back({target, std::move(command), index, Seq(next->entry->seq()), next->event});
    }
    for (chat::TellUsers& tell : outcome.tells) ready_.tells.push_back(std::move(tell));
    follower.feed.taken(static_cast<std::uint32_t>(outcome.commands.size()));
  }
  if (const auto from = follower.feed.take_read()) ready_.log.push_back({index, *from});
}

void Partition::run_timers() {
  if (is_held()) return;
  const WallTime now = replica_.log_time(wall_now_);
  for (bus::Timers* timers : {&timers_, &intents_}) {
    if (const auto range = timers->take_read(now))
      want_range(*range, [timers](const std::vector<Row>& rows) { timers->read(rows); });
    while (timers->has_due(now) && (options_.pace == nullptr || options_.pace->take(options_.id))) {
      command::Command command;
      command.mutable_run_due()->set_key(*timers->take(now));
      submit(std::move(command), [](const command::Answer&) {});
    }
  }
}

void Partition::log_read(std::size_t subscriber, std::vector<std::shared_ptr<const log::Entry>> entries) {
  followers_[subscriber]->feed.read(std::move(entries));
}

void Partition::command_done(std::size_t subscriber, Seq seq, std::uint32_t event) {
  followers_[subscriber]->feed.done(seq, event);
}

}  // namespace holdfast
