#include "server/chat/attempts.h"

#include <algorithm>

#include "server/chat/names.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

using std::chrono::milliseconds;

v1::Error barred(v1::ErrorCode code, std::string message, milliseconds wait) {
  v1::Error error;
  error.set_code(code);
  error.set_message(std::move(message));
  error.set_retry_after_ms(static_cast<std::uint64_t>(wait.count()));
  return error;
}

/// One second after the last free failure, and twice as long after each that follows; never longer than the lock.
milliseconds wait_after(std::uint32_t failures, const Limits& limits) {
  if (failures < limits.login_failures_free) return milliseconds(0);
  const std::uint32_t doublings = std::min(failures - limits.login_failures_free, 20u);
  const milliseconds wait = std::chrono::seconds(std::int64_t{1} << doublings);
  return std::min<milliseconds>(wait, limits.login_lock);
}

void tell_failures(const Failed& failed, std::uint32_t failures, Draft& draft) {
  log::LoginFailed& event = *draft.emit().mutable_login_failed();
  event.set_user(std::string(failed.user));
  event.set_failures(failures);
  event.set_peer(std::string(failed.peer));
}

}  // namespace

bool is_forgotten(const Context& context, const state::Attempts& attempts) {
  return from_ms(attempts.last_failure_ms()) + context.limits.login_failures_forgotten <= context.now &&
         from_ms(attempts.locked_until_ms()) <= context.now;
}

std::optional<v1::Error> password_barred(const Context& context, std::string_view username, View& view) {
  const auto attempts = view.get<state::Attempts>(keys::attempts(username));
  if (!attempts || is_forgotten(context, *attempts)) return std::nullopt;
  const WallTime locked_until = from_ms(attempts->locked_until_ms());
  if (locked_until > context.now)
    return barred(v1::LOGIN_LOCKED, "too many failed passwords", locked_until - context.now);
  const bool lock_is_over = attempts->locked_until_ms() != 0;
  const WallTime next = from_ms(attempts->last_failure_ms()) + wait_after(attempts->failures(), context.limits);
  if (next > context.now && !lock_is_over)
    return barred(v1::RATE_LIMITED, "failed passwords slow the next try", next - context.now);
  return std::nullopt;
}

void count_failure(const Context& context, const Failed& failed, View& view, Draft& draft) {
  auto attempts = view.get<state::Attempts>(keys::attempts(failed.username)).value_or(state::Attempts());
  if (is_forgotten(context, attempts)) {
    const std::uint32_t untold = attempts.untold();
    attempts.Clear();
    attempts.set_untold(untold);
  }
  attempts.set_failures(attempts.failures() + 1);
  attempts.set_last_failure_ms(to_ms(context.now));
  attempts.set_untold(attempts.untold() + 1);
  const bool locks = attempts.failures() >= context.limits.login_failures_lock;
  if (locks || from_ms(attempts.told_ms()) + context.limits.login_failures_told <= context.now) {
    tell_failures(failed, attempts.untold(), draft);
    attempts.set_told_ms(to_ms(context.now));
    attempts.clear_untold();
  }
  if (locks) {
    attempts.set_locked_until_ms(to_ms(context.now + context.limits.login_lock));
    log::LoginLocked& locked = *draft.emit().mutable_login_locked();
    locked.set_user(std::string(failed.user));
    locked.set_username(std::string(failed.username));
    locked.set_until_ms(attempts.locked_until_ms());
    locked.set_peer(std::string(failed.peer));
  }
  draft.put(keys::attempts(failed.username), attempts);
}

std::uint32_t untold_failures(std::string_view username, View& view) {
  const auto attempts = view.get<state::Attempts>(keys::attempts(username));
  return attempts ? attempts->untold() : 0;
}

void tell_untold_failures(std::string_view username, const state::Attempts& attempts, View& view, Draft& draft) {
  if (attempts.untold() == 0) return;
  const auto user = user_named(username, view);
  tell_failures({username, user ? user->bytes() : std::string_view(), {}}, attempts.untold(), draft);
}

void clear_failures(std::string_view username, View& view, Draft& draft) {
  const std::string key = keys::attempts(username);
  if (view.row(key)) draft.remove(key);
}

}  // namespace holdfast::chat
