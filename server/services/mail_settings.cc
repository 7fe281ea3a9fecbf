#include "server/services/mail_settings.h"

#include <algorithm>

#include "server/chat/changes.h"
#include "server/chat/once.h"
#include "server/chat/session_book.h"
#include "server/services/incidents.h"
#include "server/services/missed.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using chat::FallbackLimits;
using state::MailSettings;

constexpr std::uint64_t kDelayMin_s = 60, kDelayMax_s = 7 * 24 * 3600;
constexpr std::size_t kLanguageBytesMax = 35;

v1::MailMode mode_of(FallbackLimits::Mode mode) {
  switch (mode) {
    case FallbackLimits::Mode::off: return v1::MAIL_OFF;
    case FallbackLimits::Mode::notice: return v1::MAIL_NOTICE;
    case FallbackLimits::Mode::content: return v1::MAIL_CONTENT;
  }
  return v1::MAIL_OFF;
}

bool is_language(std::string_view tag) {
  return tag.size() <= kLanguageBytesMax && std::all_of(tag.begin(), tag.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::optional<std::string> complaint(const v1::SetMailSettings& wish) {
  if (!v1::MailMode_IsValid(wish.mode())) return "mode: unknown";
  if (wish.delay_s() != 0 && (wish.delay_s() < kDelayMin_s || wish.delay_s() > kDelayMax_s))
    return "delay_s: 60 to 604,800, or 0 for the server's";
  if (!is_language(wish.language())) return "language: letters, digits and hyphens, up to 35";
  return std::nullopt;
}

MailSettings settings_of(const UserId& user, chat::View& view) {
  return view.get<MailSettings>(keys::mail_settings(user)).value_or(MailSettings());
}

MailWish wish_of(const chat::Context& context, const std::optional<state::Account>& account,
                 const MailSettings& settings) {
  const FallbackLimits& defaults = context.limits.fallback;
  MailWish wish;
  wish.delay = settings.delay_s() == 0 ? defaults.delay : std::chrono::seconds(settings.delay_s());
  wish.language = settings.language();
  if (!account || !account->email_verified() || account->email().empty()) return wish;
  wish.address = account->email();
  wish.username = account->username();
  wish.watches = settings.mode() != v1::MAIL_OFF;
  if (!defaults.enabled || chat::barred_by_operator(context, *account)) return wish;
  wish.mode = settings.mode() == v1::MAIL_BY_DEFAULT ? mode_of(defaults.mode) : settings.mode();
  return wish;
}

}  // namespace

MailWish mail_wish(const chat::Context& context, const UserId& user, chat::View& view) {
  const auto account = view.get<state::Account>(keys::account(user));
  MailWish wish = wish_of(context, account, settings_of(user, view));
  if (const auto shorter = incident_delay(context, user, view)) wish.delay = std::min(wish.delay, *shorter);
  return wish;
}

std::string language_of(const UserId& user, chat::View& view) { return settings_of(user, view).language(); }

void set_mail_settings(const chat::Context& context, const command::Command& command, chat::View& view,
                       chat::Draft& draft) {
  const v1::SetMailSettings& asked = command.request().set_mail_settings();
  if (const auto bad = complaint(asked)) return draft.refuse(v1::INVALID_ARGUMENT, *bad);
  const UserId user = chat::user_of(command);
  const auto account = view.get<state::Account>(keys::account(user));
  if (!account) return draft.refuse(v1::SESSION_ENDED, "the account is gone");
  MailSettings settings;
  settings.set_mode(asked.mode());
  settings.set_delay_s(asked.delay_s());
  settings.set_language(asked.language());
  draft.put(keys::mail_settings(user), settings);
  watch_or_not(context, user, wish_of(context, account, settings), view, draft);
}

void get_mail_settings(const chat::Context& context, const command::Command& command, chat::View& view,
                       chat::Draft& draft) {
  const UserId user = chat::user_of(command);
  const MailSettings settings = settings_of(user, view);
  const MailWish now = mail_wish(context, user, view);
  v1::MailSettingsReply& reply = *draft.frame().mutable_mail_settings();
  reply.set_mode(settings.mode());
  reply.set_delay_s(settings.delay_s());
  reply.set_language(settings.language());
  reply.set_mode_now(now.mode);
  reply.set_delay_now_s(static_cast<std::uint64_t>(now.delay.count()));
}

void refresh_mail(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const UserId user = chat::user_of(command);
  watch_or_not(context, user, mail_wish(context, user, view), view, draft);
}

void stop_mail(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const UserId user = chat::user_of(command);
  const auto account = view.get<state::Account>(keys::account(user));
  if (!account) return draft.refuse(v1::NOT_FOUND, "the account is gone");
  MailSettings settings = settings_of(user, view);
  settings.set_mode(v1::MAIL_OFF);
  draft.put(keys::mail_settings(user), settings);
  watch_or_not(context, user, wish_of(context, account, settings), view, draft);
}

void forget_mail(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const UserId user = chat::user_of(command);
  drop_timer(user, view, draft);
  draft.remove(keys::mail_settings(user));
  const std::string answered = keys::prefix(keys::Family::answered, user.bytes());
  draft.remove_range(answered, keys::after_prefix(answered));
}

}  // namespace holdfast::services
