// Chat: mails about what reached none of the user's devices.
#include <charconv>
#include <chrono>

#include "tools/holdfast-chat/chat.h"

namespace holdfast::chat {
namespace {

constexpr std::pair<std::string_view, v1::MailMode> kModes[] = {{"off", v1::MAIL_OFF},
                                                                {"notice", v1::MAIL_NOTICE},
                                                                {"content", v1::MAIL_CONTENT},
                                                                {"default", v1::MAIL_BY_DEFAULT}};

std::optional<v1::MailMode> mode_of(std::string_view word) {
  for (const auto& [name, mode] : kModes)
    if (name == word) return mode;
  return std::nullopt;
}

std::string name_of(v1::MailMode mode) {
  for (const auto& [name, known] : kModes)
    if (known == mode) return std::string(name);
  return "unknown";
}

std::optional<std::chrono::minutes> minutes_of(std::string_view word) {
  std::uint32_t count = 0;
  const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (bad != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return std::chrono::minutes(count);
}

}  // namespace

Awaitable<bool> Chat::mail(Words words, std::string) {
  if (words.size() > 1) {
    const auto mode = mode_of(words[1]);
    const auto delay = words.size() > 2 ? minutes_of(words[2]) : std::chrono::minutes(0);
    if (!mode || !delay || words.size() > 3)
      co_return fail("/mail", "give off, notice, content or default, and minutes");
    const auto changed = co_await asking(*client_, client::ask::set_mail_settings(*mode, *delay, ""));
    if (!changed.ok()) co_return fail("/mail", *changed.failure);
  }
  const auto reply = co_await asking(*client_, client::ask::get_mail_settings());
  if (!reply.ok()) co_return fail("/mail", *reply.failure);
  const v1::MailSettingsReply& now = reply.frame.mail_settings();
  const std::string after = std::to_string(now.delay_now_s() / 60) + " min";
  screen_.event("mail_settings", {{"mode", name_of(now.mode_now())}, {"delay_s", now.delay_now_s()}},
                "  mails about missed messages: " + screen_.bold(name_of(now.mode_now())) +
                    (now.mode_now() == v1::MAIL_OFF ? "" : ", after " + after));
  co_return true;
}

}  // namespace holdfast::chat
