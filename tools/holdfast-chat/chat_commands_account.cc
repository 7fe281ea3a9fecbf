// Chat: commands about the account, devices and blocks.
#include <algorithm>

#include "base/hash.h"
#include "tools/holdfast-chat/chat.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

namespace {

/// How /devices names a session: enough digits to tell them apart.
std::string short_name(const std::string& session_id) { return to_hex(session_id).substr(0, 8); }

}  // namespace

// ------------------------------------------------------------------------------------------------ blocks

Awaitable<bool> Chat::set_block(std::string command, Words words, bool blocked) {
  if (words.size() != 2) co_return fail(command, "give a name");
  const auto user = co_await user_for(command, words[1]);
  if (!user) co_return false;
  const bool good = co_await simply(command, client::ask::block_user(*user, blocked));
  co_return good;
}

Awaitable<bool> Chat::block(Words words, std::string) { return set_block("/block", std::move(words), true); }
Awaitable<bool> Chat::unblock(Words words, std::string) { return set_block("/unblock", std::move(words), false); }

Awaitable<bool> Chat::blocks(Words, std::string) {
  const auto reply = co_await asking(*client_, client::ask::list_blocks());
  if (!reply.ok()) co_return fail("/blocks", *reply.failure);
  const v1::BlocksReply blocked = reply.frame.blocks();
  for (const auto& user : blocked.user_ids()) {
    const std::string name = co_await book_->name_of_bytes(user);
    screen_.event("blocked", {{"user", name}, {"user_id", to_hex(user)}}, "  " + name);
  }
  screen_.event("done", {{"command", "/blocks"}}, blocked.user_ids().empty() ? screen_.dim("  nobody") : "");
  co_return true;
}

// ------------------------------------------------------------------------------------------------ devices

Awaitable<bool> Chat::devices(Words, std::string) {
  const auto reply = co_await asking(*client_, client::ask::list_devices());
  if (!reply.ok()) co_return fail("/devices", *reply.failure);
  for (const auto& device : reply.frame.devices().devices()) {
    const std::string seen = clock_text(device.last_seen_ms(), to_ms(wall_now()));
    screen_.event("device",
                  {{"session", to_hex(device.session_id())},
                   {"name", device.name()},
                   {"current", device.current()},
                   {"created_ms", device.created_ms()},
                   {"last_seen_ms", device.last_seen_ms()}},
                  "  " + screen_.bold(short_name(device.session_id())) + " " + printable_line(device.name(), 60) + " " +
                      (device.current() ? screen_.good("this one") : screen_.dim("last seen " + seen)));
  }
  screen_.event("done", {{"command", "/devices"}}, "");
  co_return true;
}

Awaitable<bool> Chat::revoke(Words words, std::string) {
  if (words.size() != 2 || words[1].empty()) co_return fail("/revoke", "give a session as /devices names it");
  const auto reply = co_await asking(*client_, client::ask::list_devices());
  if (!reply.ok()) co_return fail("/revoke", *reply.failure);
  std::optional<SessionId> chosen;
  for (const auto& device : reply.frame.devices().devices()) {
    if (!to_hex(device.session_id()).starts_with(words[1])) continue;
    if (chosen) co_return fail("/revoke", "several sessions begin with " + words[1]);
    chosen = SessionId::from_bytes(device.session_id());
  }
  if (!chosen) co_return fail("/revoke", "no session begins with " + words[1]);
  const bool good = co_await simply("/revoke", client::ask::revoke_device(*chosen));
  co_return good;
}

// ------------------------------------------------------------------------------------------------ account

Awaitable<bool> Chat::me(Words, std::string) {
  const auto reply = co_await asking(*client_, client::ask::get_account());
  if (!reply.ok()) co_return fail("/me", *reply.failure);
  const auto& account = reply.frame.account();
  std::string email = account.email().empty() ? "no e-mail address" : printable_line(account.email(), 100);
  if (!account.email().empty()) email += account.email_verified() ? " (verified)" : " (not verified)";
  if (account.email_failing()) email += " (refuses mails)";
  screen_.event("account",
                {{"user", account.username()},
                 {"user_id", to_hex(account.user_id())},
                 {"email", account.email()},
                 {"email_verified", account.email_verified()},
                 {"email_failing", account.email_failing()},
                 {"created_ms", account.created_ms()}},
                "  " + screen_.bold(account.username()) + ", " + email + ", since " +
                    clock_text(account.created_ms(), to_ms(wall_now())));
  co_return true;
}

Awaitable<bool> Chat::password(Words words, std::string) {
  std::optional<std::string> old_password;
  std::optional<std::string> new_password;
  if (words.size() == 3) {
    old_password = words[1];
    new_password = words[2];
  } else if (words.size() == 1) {
    old_password = co_await ask_line("Present password: ", true);
    if (old_password) new_password = co_await ask_line("New password: ", true);
  }
  if (!old_password || !new_password) co_return fail("/password", "give the old password and the new one");
  const bool good = co_await simply("/password", client::ask::change_password(*old_password, *new_password));
  if (good) screen_.note(screen_.dim("Changed. All other devices are logged out."));
  co_return good;
}

Awaitable<bool> Chat::email(Words words, std::string) {
  if (words.size() < 2 || words.size() > 3) co_return fail("/email", "give an address, or none");
  std::optional<std::string> secret;
  if (words.size() == 3)
    secret = words[2];
  else
    secret = co_await ask_line("Password: ", true);
  if (!secret) co_return fail("/email", "the password is needed");
  const std::string address = words[1] == "none" ? "" : words[1];
  const bool good = co_await simply("/email", client::ask::set_email(*secret, address));
  co_return good;
}

Awaitable<bool> Chat::log_out(Words, std::string) {
  leaving_ = true;
  client_->log_out([this](const client::Reply& reply) {
    if (!reply.ok()) leaving_ = false;
    if (!reply.ok()) command_failed_ = !fail("/logout", *reply.failure) || command_failed_;
    state_changed_.notify();
  });
  while (leaving_ && !ended_) co_await state_changed_.wait();
  co_return ended_;
}

Awaitable<bool> Chat::delete_account(Words words, std::string) {
  const std::string own = client_->session().username;
  if (words.size() < 2 || words[1] != own)
    co_return fail("/delete-account", "this deletes your account for ever; to do it: /delete-account " + own);
  std::optional<std::string> secret;
  if (words.size() == 3)
    secret = words[2];
  else
    secret = co_await ask_line("Password: ", true);
  if (!secret) co_return fail("/delete-account", "the password is needed");
  leaving_ = true;
  const bool good = co_await simply("/delete-account", client::ask::delete_account(*secret));
  leaving_ = good;
  if (good) {
    if (!ended_) end(exit_code_);
    auto cleared = store_->clear();
    if (!cleared) fail("/delete-account", cleared.error().message);
  }
  co_return good;
}

}  // namespace holdfast::chat
