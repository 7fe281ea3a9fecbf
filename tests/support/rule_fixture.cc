#include "tests/support/rule_fixture.h"

#include <algorithm>

#include "server/services/rules.h"
#include "storage/keys.h"

namespace holdfast::chat {

bool MapView::load(std::string what) {
  if (!loaded_ || !loaded_->insert(std::move(what)).second) return true;
  missing_ = true;
  return false;
}

const std::string* MapView::row(std::string_view key) {
  if (!load("row " + std::string(key))) return nullptr;
  const auto found = rows_.find(std::string(key));
  return found == rows_.end() ? nullptr : &found->second;
}

const std::vector<Row>* MapView::range(const Range& range) {
  if (!load("range " + range.from + '|' + range.until + (range.backward ? "<" : ">"))) return nullptr;
  auto& rows = *ranges_.emplace_back(std::make_unique<std::vector<Row>>());
  const auto from = rows_.lower_bound(range.from);
  const auto until = range.until.empty() ? rows_.end() : rows_.lower_bound(range.until);
  for (auto it = from; it != until; ++it) rows.push_back({it->first, it->second});
  if (range.backward) std::reverse(rows.begin(), rows.end());
  if (rows.size() > range.limit) rows.resize(range.limit);
  std::size_t bytes = 0, count = 0;
  while (count < rows.size() && (count == 0 || bytes < range.bytes_max)) {
    bytes += keys::kPartitionBytes + rows[count].key.size() + rows[count].value.size();
    ++count;
  }
  rows.resize(count);
  return &rows;
}

command::Answer RuleFixture::run(const command::Command& command) {
  const Context context{now, partition_, partitions_, limits, first_position};
  std::set<std::string> loaded;
  for (int round = 0;; ++round) {
    HF_CHECK(round < 1000, "a rule comes to an end of what it asks for");
    MapView view(rows, every_first_read_misses ? &loaded : nullptr);
    Draft draft;
    services::rule_for(command)(context, command, view, draft);
    if (view.missing()) continue;
    HF_CHECK(draft.writes.empty() || !services::is_read_only(command), "a command that is read-only writes nothing");
    HF_CHECK(draft.writes.empty() || !draft.refused(), "a refused command writes nothing");
    apply(draft);
    return draft.answer();
  }
}

v1::ServerFrame RuleFixture::request(const UserId& user, const SessionId& session, v1::ClientFrame frame) {
  command::Command command;
  command.set_user(user.str());
  if (!session.is_zero()) command.set_session(session.str());
  *command.mutable_request() = std::move(frame);
  return run(command).frame();
}

void RuleFixture::apply(const Draft& draft) {
  writes = draft.writes;
  events = draft.events;
  effects = draft.effects;
  all_events.insert(all_events.end(), events.begin(), events.end());
  all_effects.insert(all_effects.end(), effects.begin(), effects.end());
  for (const log::Write& write : writes) {
    switch (write.what_case()) {
      case log::Write::kPut: rows[write.key()] = write.put(); break;
      case log::Write::kRemove: rows.erase(write.key()); break;
      case log::Write::kRemoveUntil:
        rows.erase(rows.lower_bound(write.key()), rows.lower_bound(write.remove_until()));
        break;
      case log::Write::WHAT_NOT_SET: HF_CHECK(false, "a write says what");
    }
  }
}

v1::ErrorCode code_of(const v1::ServerFrame& frame) {
  return frame.has_error() ? frame.error().code() : v1::ERROR_UNSPECIFIED;
}
v1::ErrorCode code_of(const command::Answer& answer) { return code_of(answer.frame()); }

}  // namespace holdfast::chat
