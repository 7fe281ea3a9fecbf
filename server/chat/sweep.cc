#include "server/chat/sweep.h"

#include "base/uuid.h"
#include "server/chat/attempts.h"
#include "server/chat/session_book.h"
#include "server/chat/sweep_inbox.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

/// One stretch under way. A user's sessions stand together: one book for all of them, or each would write the account
/// without what the others changed.
struct Sweeping {
  const Context& context;
  View& view;
  Draft& draft;
  std::optional<SessionBook> book = std::nullopt;
  InboxSweep inboxes{context, view, draft};

  SessionBook& book_of(const UserId& user) {
    if (book && book->user() == user) return *book;
    finish();
    return book.emplace(context, user, view, draft);
  }
  void finish() {
    if (book) book->save();
    book.reset();
    inboxes.finish();
  }
};

using SweepRow = void (*)(Sweeping&, const Row&);

void sweep_attempts(Sweeping& sweeping, const Row& row) {
  const auto attempts = sweeping.view.get<state::Attempts>(row.key);
  if (!attempts || !is_forgotten(sweeping.context, *attempts)) return;
  tell_untold_failures(keys::decode(row.key)->first, *attempts, sweeping.view, sweeping.draft);
  sweeping.draft.remove(row.key);
}

/// Unused for 60 days: it ends. Ended for 60 days: nobody will ask why any more.
void sweep_session(Sweeping& sweeping, const Row& row) {
  const Context& context = sweeping.context;
  state::Session seen;
  HF_CHECK(seen.ParseFromString(row.value), "a stored row parses");
  const bool live = seen.ended().empty();
  const auto is_over = [&](std::int64_t since_ms) {
    return from_ms(since_ms) + context.limits.session_unused_max <= context.now;
  };
  if (!is_over(live ? seen.last_seen_ms() : seen.ended_ms())) return;
  if (!live) return sweeping.draft.remove(row.key);  // what has ended changes no more
  const auto key = keys::decode(row.key);
  const SessionId session = *SessionId::from_bytes(key->second);
  SessionBook& book = sweeping.book_of(*UserId::from_bytes(key->first));
  const state::Session* now = book.find(session);
  if (book.exists() && now && is_over(now->last_seen_ms())) book.end(session, v1::SESSION_ENDED, "unused for too long");
}

/// Client ids and answers to requests: once an id is too old to be accepted, what became of it is of no use.
void sweep_by_request_id(Sweeping& sweeping, const Row& row) {
  const auto id = RequestId::from_bytes(keys::decode(row.key)->third);
  HF_CHECK(id, "the key ends in a request id");
  const WallTime accepted_until = time_of(*id) + sweeping.context.limits.request_id_age_max;
  if (accepted_until < sweeping.context.now) sweeping.draft.remove(row.key);
}

void sweep_inbox(Sweeping& sweeping, const Row& row) { sweeping.inboxes.look_at(row); }

SweepRow rule_of(keys::Family family) {
  switch (family) {
    case keys::Family::attempts: return sweep_attempts;
    case keys::Family::session: return sweep_session;
    case keys::Family::inbox: return sweep_inbox;
    case keys::Family::client_id: return sweep_by_request_id;
    case keys::Family::request: return sweep_by_request_id;
    default: return nullptr;
  }
}

}  // namespace

void sweep(const Context& context, const command::Command& command, View& view, Draft& draft) {
  const auto family = static_cast<keys::Family>(command.sweep().family());
  const SweepRow rule = rule_of(family);
  command::SweepState& state = *draft.answer().mutable_sweep_state();
  if (!rule) return;
  const std::string prefix = keys::prefix(family);
  const std::string& from = command.sweep().from();
  const Range stretch{from.empty() ? prefix : from, keys::after_prefix(prefix), kSweepRows};
  const std::vector<Row>* rows = view.range(stretch);
  if (!rows) return;
  Sweeping sweeping{context, view, draft};
  for (const Row& row : *rows) rule(sweeping, row);
  sweeping.finish();
  if (!rows->empty()) state.set_next_from(rows->back().key + '\0');
}

}  // namespace holdfast::chat
