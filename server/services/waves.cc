#include "server/services/waves.h"

#include <algorithm>

#include "base/hash.h"
#include "server/chat/names.h"
#include "server/chat/session_book.h"
#include "server/services/intents.h"
#include "server/services/resets.h"
#include "server/services/secrets.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kAccountsOfAStep = 20;
constexpr std::size_t kAccountsOfALook = 500;
constexpr std::chrono::hours kLifetime{24};  ///< of its links: nobody waits for them
constexpr std::chrono::milliseconds kStepMin{50};
constexpr std::chrono::minutes kWhileOff{1};

/// Between two mails of a partition, where so many a minute are sent of all.
std::chrono::milliseconds pause(const chat::Context& context, std::uint32_t per_minute, std::size_t mails = 1) {
  return std::chrono::milliseconds(60'000 * mails * context.partitions / std::max(per_minute, 1u));
}
WallTime first_due(const chat::Context& context, std::uint32_t per_minute) {
  return context.now + pause(context, per_minute) * context.partition.value / context.partitions;
}

std::string due_key(const IntentId& wave, WallTime due) {
  return keys::due(static_cast<std::uint64_t>(to_ms(due)), due_what(DueKind::wave, {wave.bytes()}));
}

bool is_reachable(const chat::Context& context, const state::Account& account) {
  return account.email_verified() && !chat::barred_by_operator(context, account);
}

/// The account was made since, or somebody who is logged in still did so since.
bool is_since(const state::Account& account, const UserId& user, std::int64_t since_ms, chat::View& view) {
  if (account.created_ms() >= since_ms) return true;
  return std::ranges::any_of(account.sessions(), [&](const std::string& bytes) {
    const auto session = SessionId::from_bytes(bytes);
    const auto row = session ? view.get<state::Session>(keys::session(user, *session)) : std::nullopt;
    return row && row->created_ms() >= since_ms;
  });
}

enum class Found : std::uint8_t { mailed, before, unreachable };
struct Wish {
  const IntentId& wave;
  const std::string& reason;
  WallTime due;
};

Found mail_one(const chat::Context& context, const Wish& wish, const UserId& user, const state::Account& account,
               chat::View& view, chat::Draft& draft) {
  if (!is_reachable(context, account)) return Found::unreachable;
  state::Secrets secrets = secrets_of(user, view);
  if (secrets.wave() == wish.wave.bytes()) return Found::before;
  secrets.set_wave(wish.wave.str());
  NewReset reset{.user = user,
                 .intent = intent_made_by("incident_reset", {wish.wave.bytes(), user.bytes()}),
                 .by = log::ResetAsked::INCIDENT,
                 .due = wish.due,
                 .lifetime = kLifetime};
  reset.mail.set_template_("incident_reset");
  add_value(reset.mail, "hours", std::to_string(kLifetime.count()));
  add_value(reset.mail, "reason", wish.reason);
  begin_reset(context, std::move(reset), account, secrets, draft);
  save_secrets(context, user, std::move(secrets), draft);
  return Found::mailed;
}

void note_operator(const command::StartWave& start, chat::Draft& draft) {
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation("reset_wave");
  acted.set_target(to_hex(start.wave()));
  acted.set_reason(start.reason());
  acted.set_peer(start.peer());
}

void start_for_named(const chat::Context& context, const IntentId& wave, const command::StartWave& start,
                     chat::View& view, chat::Draft& draft) {
  command::WaveState& state = *draft.answer().mutable_wave_state();
  const std::string key = keys::wave(wave);
  auto row = view.get<state::Wave>(key);
  if (row && !row->from().empty()) return draft.refuse(v1::PRECONDITION_FAILED, "this wave is one for everybody");
  WallTime due = row ? std::max(context.now, from_ms(row->since_ms())) : first_due(context, start.per_minute());
  std::size_t mails = 0;
  for (const std::string& username : start.usernames()) {
    const auto user = chat::user_named(username, view);
    const auto account = user ? view.get<state::Account>(keys::account(*user)) : std::nullopt;
    if (!account) {
      state.add_unknown(username);
      continue;
    }
    state.set_seen(state.seen() + 1);
    if (start.dry_run()) {
      const bool reachable = is_reachable(context, *account);
      reachable ? state.set_mailed(state.mailed() + 1) : state.set_unreachable(state.unreachable() + 1);
      continue;
    }
    const Wish wish{wave, start.reason(), due};
    const Found found = mail_one(context, wish, *user, *account, view, draft);
    if (found == Found::mailed) {
      ++mails;
      due += pause(context, start.per_minute());
    }
    found == Found::unreachable ? state.set_unreachable(state.unreachable() + 1) : state.set_mailed(state.mailed() + 1);
  }
  state.set_over(true);
  if (mails == 0) return;
  if (!row) row.emplace();
  row->set_since_ms(to_ms(due));
  row->set_mailed(row->mailed() + mails);
  row->set_over(true);
  draft.put(key, *row);
  note_operator(start, draft);
}

void tell(const state::Wave& row, command::WaveState& state) {
  state.set_seen(row.seen());
  state.set_mailed(row.mailed());
  state.set_unreachable(row.unreachable());
  state.set_over(row.over());
}

/// What a wave would find in the next stretch of accounts.
void look_ahead(const chat::Context& context, const command::ShowWave& show, chat::View& view, chat::Draft& draft) {
  const std::string prefix = keys::prefix(keys::Family::account);
  const std::string from = std::max(prefix, show.from());
  const std::vector<Row>* rows = view.range({from, keys::after_prefix(prefix), kAccountsOfALook});
  if (!rows) return;
  command::WaveState& state = *draft.answer().mutable_wave_state();
  for (const Row& row : *rows) {
    const UserId user = *UserId::from_bytes(keys::decode(row.key)->first);
    state::Account account;
    HF_CHECK(account.ParseFromString(row.value), "a stored row parses");
    if (!is_since(account, user, show.since_ms(), view)) continue;
    state.set_seen(state.seen() + 1);
    is_reachable(context, account) ? state.set_mailed(state.mailed() + 1)
                                   : state.set_unreachable(state.unreachable() + 1);
  }
  state.set_over(rows->size() < kAccountsOfALook);
  if (!state.over()) state.set_next_from(rows->back().key + '\0');
}

}  // namespace

void start_wave(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!context.limits.resets_enabled) return draft.refuse(v1::UNSUPPORTED, kNoResets);
  const command::StartWave& start = command.start_wave();
  const auto wave = IntentId::from_bytes(start.wave());
  if (!wave) return draft.refuse(v1::INVALID_ARGUMENT, "wave has 16 bytes");
  if (start.usernames_size() > 0) return start_for_named(context, *wave, start, view, draft);
  if (const auto row = view.get<state::Wave>(keys::wave(*wave))) {
    if (row->from().empty()) return draft.refuse(v1::PRECONDITION_FAILED, "this wave is one for named users");
    return tell(*row, *draft.answer().mutable_wave_state());  // it goes on by itself
  }
  state::Wave row;
  row.set_from(keys::prefix(keys::Family::account));
  row.set_since_ms(start.since_ms());
  row.set_per_minute(start.per_minute());
  row.set_reason(start.reason());
  draft.put(keys::wave(*wave), row);
  draft.put(due_key(*wave, first_due(context, start.per_minute())), std::string());
  draft.answer().mutable_wave_state();
  note_operator(start, draft);
}

void show_wave(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::ShowWave& show = command.show_wave();
  if (show.dry_run()) return look_ahead(context, show, view, draft);
  const auto wave = IntentId::from_bytes(show.wave());
  const auto row = wave ? view.get<state::Wave>(keys::wave(*wave)) : std::nullopt;
  if (!row) return draft.refuse(v1::NOT_FOUND, "no such wave of resets");
  tell(*row, *draft.answer().mutable_wave_state());
}

void wave_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  draft.remove(std::string(due.key));
  const auto wave = IntentId::from_bytes(due.ids);
  auto row = wave ? view.get<state::Wave>(keys::wave(*wave)) : std::nullopt;
  if (!row || row->over()) return;
  if (!context.limits.resets_enabled) {  // it goes on when they are switched on again
    draft.put(due_key(*wave, context.now + kWhileOff), std::string());
    return;
  }
  const std::string end = keys::after_prefix(keys::prefix(keys::Family::account));
  const std::vector<Row>* rows = view.range({row->from(), end, kAccountsOfAStep});
  if (!rows) return;
  std::size_t mails = 0;
  for (const Row& seen : *rows) {
    const UserId user = *UserId::from_bytes(keys::decode(seen.key)->first);
    const auto account = view.get<state::Account>(seen.key);  // as it is now
    if (!account || !is_since(*account, user, row->since_ms(), view)) continue;
    row->set_seen(row->seen() + 1);
    const Wish wish{*wave, row->reason(), context.now + pause(context, row->per_minute(), mails)};
    const Found found = mail_one(context, wish, user, *account, view, draft);
    mails += found == Found::mailed ? 1 : 0;
    found == Found::unreachable ? row->set_unreachable(row->unreachable() + 1) : row->set_mailed(row->mailed() + 1);
  }
  if (!rows->empty()) row->set_from(rows->back().key + '\0');
  row->set_over(rows->size() < kAccountsOfAStep);
  if (!row->over()) {
    const auto next = std::max<std::chrono::milliseconds>(kStepMin, pause(context, row->per_minute(), mails));
    draft.put(due_key(*wave, context.now + next), std::string());
  }
  draft.put(keys::wave(*wave), *row);
}

}  // namespace holdfast::services
