#include "server/chat/history.h"

#include <algorithm>
#include <vector>

#include "server/chat/standing.h"
#include "storage/keys.h"

namespace holdfast::chat {

namespace {

/// Numbers in [from, until).
struct Stretch {
  std::uint64_t from;
  std::uint64_t until;
};

/// What the caller may see, in rising order.
std::vector<Stretch> visible_stretches(const Standing& standing) {
  const std::uint64_t end = standing.conversation.last_number() + 1;
  if (standing.direct()) return {{1, end}};
  std::vector<Stretch> stretches;
  for (const auto& interval : standing.member.intervals()) {
    const std::uint64_t until = interval.left() == 0 ? end : std::min(interval.left(), end);
    if (interval.joined() < until) stretches.push_back({interval.joined(), until});
  }
  return stretches;
}

/// The stretches that make up the page, in its direction. Numbers have no gaps, so they say how many rows there are.
std::vector<Stretch> cut_page(std::vector<Stretch> visible, const v1::GetHistory& request) {
  if (request.backward()) std::reverse(visible.begin(), visible.end());
  std::vector<Stretch> page;
  std::uint64_t left = request.limit();
  for (Stretch stretch : visible) {
    if (left == 0) break;
    if (request.backward() && request.from() != 0) stretch.until = std::min(stretch.until, request.from() + 1);
    if (!request.backward()) stretch.from = std::max(stretch.from, request.from());
    if (stretch.from >= stretch.until) continue;
    const std::uint64_t count = std::min(left, stretch.until - stretch.from);
    if (request.backward()) {
      stretch.from = stretch.until - count;
    } else {
      stretch.until = stretch.from + count;
    }
    left -= count;
    page.push_back(stretch);
  }
  return page;
}

bool covers(const command::HistoryFor& what, std::uint64_t number) {
  return std::any_of(what.hidden().begin(), what.hidden().end(), [&](const command::ListState::Hidden& hidden) {
    return hidden.from() <= number && (hidden.to() == 0 || number < hidden.to());
  });
}

/// Whether the caller's block hides it. A post that was edited under the block is hidden too: its body is the new one.
bool is_hidden(const command::HistoryFor& what, const Standing& standing, const v1::Change& change) {
  if (what.hidden().empty() || !standing.direct() || change.author() == standing.user.bytes()) return false;
  if (change.has_created()) return false;
  if (covers(what, change.number())) return true;
  if (change.has_posted() && change.posted().edited_number() != 0) return covers(what, change.posted().edited_number());
  if (change.has_edited()) return covers(what, change.edited().target());
  if (change.has_deleted()) return covers(what, change.deleted().target());
  return false;
}

class Page {
 public:
  Page(const command::HistoryFor& what, const Standing& standing, v1::HistoryReply& reply)
      : what_(what), standing_(standing), reply_(reply) {}

  /// False once it is full.
  bool add(const Row& row) {
    if (bytes_ > 0 && bytes_ + row.value.size() > kHistoryPageBytesMax) return false;
    bytes_ += row.value.size();
    v1::Change& change = *reply_.add_changes();
    HF_CHECK(change.ParseFromString(row.value), "a stored row parses");
    if (is_hidden(what_, standing_, change)) change.mutable_hidden();
    return true;
  }

 private:
  const command::HistoryFor& what_;
  const Standing& standing_;
  v1::HistoryReply& reply_;
  std::size_t bytes_ = 0;
};

/// False once the page is full.
bool add_stretch(const Standing& standing, Stretch stretch, bool backward, View& view, Page& page) {
  const std::vector<Row>* rows = view.range({.from = keys::change(standing.id, stretch.from),
                                             .until = keys::change(standing.id, stretch.until),
                                             .limit = static_cast<std::size_t>(stretch.until - stretch.from),
                                             .bytes_max = kHistoryPageBytesMax,
                                             .backward = backward});
  if (!rows) return true;
  for (const Row& row : *rows) {
    if (!page.add(row)) return false;
  }
  return rows->size() == stretch.until - stretch.from;
}

bool is_more(const std::vector<Stretch>& visible, const v1::HistoryReply& reply, bool backward) {
  if (visible.empty() || reply.changes().empty()) return false;
  const std::uint64_t last = reply.changes(reply.changes_size() - 1).number();
  return backward ? last > visible.front().from : last + 1 < visible.back().until;
}

}  // namespace

void history_for(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const command::HistoryFor& what = command.history_for();
  const v1::GetHistory& request = what.request();
  if (!check_page(request.limit(), context.limits.history_page_max, draft)) return;
  std::optional<Standing> standing = find_standing(command, request.conversation_id(), Need::reader, view, draft);
  if (!standing) return;
  const std::vector<Stretch> visible = visible_stretches(*standing);
  v1::HistoryReply& reply = *draft.frame().mutable_history();
  Page page(what, *standing, reply);
  for (const Stretch& stretch : cut_page(visible, request)) {
    if (!add_stretch(*standing, stretch, request.backward(), view, page)) break;
  }
  reply.set_last_number(visible.empty() ? 0 : visible.back().until - 1);
  reply.set_more(is_more(visible, reply, request.backward()));
}

}  // namespace holdfast::chat
