// Chat: the table of commands, and those about messages.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "tools/holdfast-chat/chat.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

using Handler = Awaitable<bool> (Chat::*)(Words, std::string);

/// Every command: its name, how it is called, what it does.
struct CommandTable {
  struct Command {
    const char* name;
    const char* arguments;
    const char* help;
    Handler run;
  };
  static constexpr std::array<Command, 35> kCommands{{
      {"/help", "", "this list", &Chat::help},
      {"/list", "", "your conversations, newest first, with what is unread", &Chat::list},
      {"/open", "NAME", "a user, or a group by its #title; what you type goes there", &Chat::open},
      {"/history", "[COUNT] [BEFORE]", "earlier messages (20), those before number BEFORE", &Chat::history},
      {"/reply", "NUMBER TEXT", "an answer to that message", &Chat::reply},
      {"/edit", "NUMBER TEXT", "put other words into your message", &Chat::edit},
      {"/delete", "NUMBER", "take a message back", &Chat::delete_message},
      {"/react", "NUMBER EMOJI", "react to a message", &Chat::react},
      {"/unreact", "NUMBER EMOJI", "take a reaction back", &Chat::unreact},
      {"/group", "TITLE NAMES…", "make a group (\"a title of words\") and open it", &Chat::make_group},
      {"/who", "", "who is in this conversation, and who of them is here", &Chat::who},
      {"/add", "NAMES…", "add members to this group", &Chat::add},
      {"/remove", "NAME", "remove a member", &Chat::remove},
      {"/role", "NAME member|admin|owner", "change what a member may do", &Chat::role},
      {"/rename", "TITLE", "rename this group", &Chat::rename},
      {"/leave", "", "leave this group", &Chat::leave},
      {"/mute", "", "no sound and no count for this conversation", &Chat::mute},
      {"/unmute", "", "and again", &Chat::unmute},
      {"/pin", "", "keep this conversation on top of /list", &Chat::pin},
      {"/unpin", "", "not any more", &Chat::unpin},
      {"/block", "NAME", "see nothing of what this user sends you directly", &Chat::block},
      {"/unblock", "NAME", "and again", &Chat::unblock},
      {"/blocks", "", "whom you have blocked", &Chat::blocks},
      {"/me", "", "your account", &Chat::me},
      {"/devices", "", "where you are logged in", &Chat::devices},
      {"/revoke", "SESSION", "log a device out (as /devices names it)", &Chat::revoke},
      {"/password", "[OLD NEW]", "change the password; logs all other devices out", &Chat::password},
      {"/email", "ADDRESS|none [PASSWORD]", "set or remove the e-mail address", &Chat::email},
      {"/mail", "[off|notice|content|default [MINUTES]]", "mails about what reaches none of your devices", &Chat::mail},
      {"/logout", "", "end this session", &Chat::log_out},
      {"/delete-account", "NAME [PASSWORD]", "delete your account, for ever", &Chat::delete_account},
      {"/quit", "", "leave; the session stays (also ^D)", &Chat::quit},
      {"/to", "NAME", "the same as /open", &Chat::open},
      {"/msg", "NAME", "the same as /open", &Chat::open},
      {"/exit", "", "the same as /quit", &Chat::quit},
  }};
  static const Command* find(std::string_view name) {
    const auto found =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& c) { return c.name == name; });
    return found == kCommands.end() ? nullptr : &*found;
  }
};

namespace {

/// What follows the first `words` words of `line`, as it was typed.
std::string rest_after(std::string_view line, std::size_t words) {
  for (std::size_t i = 0; i < words; ++i) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    line.remove_prefix(std::min(line.find_first_of(" \t"), line.size()));
  }
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line);
}

std::optional<std::uint64_t> number_of(const std::string& word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

// ------------------------------------------------------------------------------------------------ carrying out

Awaitable<bool> Chat::run_line(std::string line) {
  if (line.find_first_not_of(" \t") == std::string::npos) co_return true;
  if (!line.starts_with('/') || line.starts_with("//")) {
    if (line.starts_with("//")) line.erase(0, 1);  // a message that begins with a slash
    client::ask::PostOptions plain;
    const bool sent = co_await send_text(std::move(line), std::move(plain));
    co_return sent;
  }
  Words words = split_words(line);
  const auto* command = CommandTable::find(words.front());
  if (command == nullptr) co_return fail(words.front(), "there is no such command; /help lists them");
  auto run = (this->*command->run)(words, rest_after(line, 1));
  const bool good = co_await std::move(run);
  co_return good;
}

bool Chat::fail(const std::string& command, const std::string& message) {
  screen_.event("error", {{"command", command}, {"code", "USAGE"}, {"message", message}},
                screen_.bad(command + ": " + printable_line(message, 300)));
  return false;
}

bool Chat::fail(const std::string& command, const client::Failure& failure) {
  const std::string code = failure.cause == client::Failure::Cause::refused     ? v1::ErrorCode_Name(failure.code)
                           : failure.cause == client::Failure::Cause::timed_out ? "TIMED_OUT"
                                                                                : "CLOSED";
  screen_.event("error", {{"command", command}, {"code", code}, {"message", failure.message}},
                screen_.bad(command + ": " + printable_line(failure.str(), 300)));
  return false;
}

Awaitable<bool> Chat::simply(std::string command, v1::ClientFrame frame) {
  const auto reply = co_await asking(*client_, std::move(frame));
  if (!reply.ok()) co_return fail(command, *reply.failure);
  boost::json::object fields{{"command", command}};
  if (reply.frame.has_change()) fields["number"] = reply.frame.change().number();
  screen_.event("done", std::move(fields), "");
  co_return true;
}

Conversation* Chat::open_conversation(const std::string& command) {
  auto* conversation = open_.is_zero() ? nullptr : book_->find(open_);
  if (conversation == nullptr) fail(command, "no conversation is open: /open NAME");
  return conversation;
}

// ------------------------------------------------------------------------------------------------ messages

void Chat::report_sent(const std::string& body, const client::SendResult& result) {
  if (!result.ok()) {
    command_failed_ = true;
    fail("send", *result.failure);
  } else {
    screen_.event("sent",
                  {{"conversation", to_hex(result.conversation.bytes())},
                   {"number", result.number},
                   {"time_ms", result.time_ms},
                   {"body", is_utf8(body) ? body : ""}},
                  "");
  }
  state_changed_.notify();
}

Awaitable<bool> Chat::send_text(std::string text, client::ask::PostOptions options) {
  if (open_conversation("send") == nullptr) co_return false;
  if (screen_.interactive()) {
    // Not waited for: the outbox keeps it, and typing goes on.
    auto done = [this, text](const client::SendResult& result) { report_sent(text, result); };
    auto taken = client_->send(open_, text, done, std::move(options));
    if (!taken) co_return fail("send", taken.error().message);
    if (away_) screen_.note(screen_.dim("  kept, goes out when we are back: " + printable_line(text, 60)));
    co_return true;
  }
  const auto result = co_await sending(*client_, open_, text, std::move(options));
  report_sent(text, result);
  co_return result.ok();
}

Awaitable<bool> Chat::reply(Words words, std::string rest) {
  const auto number = words.size() > 2 ? number_of(words[1]) : std::nullopt;
  if (!number) co_return fail("/reply", "give a message's number and a text");
  client::ask::PostOptions options;
  options.reply_to = *number;
  const bool sent = co_await send_text(rest_after(rest, 1), std::move(options));
  co_return sent;
}

Awaitable<bool> Chat::edit(Words words, std::string rest) {
  const auto number = words.size() > 2 ? number_of(words[1]) : std::nullopt;
  if (!number) co_return fail("/edit", "give a message's number and the new text");
  if (open_conversation("/edit") == nullptr) co_return false;
  const bool good = co_await simply("/edit", client::ask::edit(open_, *number, rest_after(rest, 1)));
  co_return good;
}

Awaitable<bool> Chat::delete_message(Words words, std::string) {
  const auto number = words.size() == 2 ? number_of(words[1]) : std::nullopt;
  if (!number) co_return fail("/delete", "give a message's number");
  if (open_conversation("/delete") == nullptr) co_return false;
  const bool good = co_await simply("/delete", client::ask::remove(open_, *number));
  co_return good;
}

Awaitable<bool> Chat::react_with(std::string command, Words words, bool removed) {
  const auto number = words.size() == 3 ? number_of(words[1]) : std::nullopt;
  if (!number) co_return fail(command, "give a message's number and a reaction");
  if (open_conversation(command) == nullptr) co_return false;
  const bool good = co_await simply(command, client::ask::react(open_, *number, words[2], removed));
  co_return good;
}

Awaitable<bool> Chat::react(Words words, std::string) { return react_with("/react", std::move(words), false); }
Awaitable<bool> Chat::unreact(Words words, std::string) { return react_with("/unreact", std::move(words), true); }

Awaitable<bool> Chat::history(Words words, std::string) {
  constexpr std::uint64_t kUsual = 20;
  constexpr std::uint64_t kMax = 500;
  if (open_conversation("/history") == nullptr) co_return false;
  const auto count = words.size() > 1 ? number_of(words[1]) : kUsual;
  const auto before = words.size() > 2 ? number_of(words[2]) : std::optional<std::uint64_t>(0);
  if (!count || *count > kMax || !before) co_return fail("/history", "give a count up to 500 and a number");
  if (*before == 1) co_return true;
  const std::uint64_t from = *before == 0 ? 0 : *before - 1;
  const auto shown = co_await show_history(open_, from, *count);
  screen_.event("done", {{"command", "/history"}}, shown == 0 ? screen_.dim("nothing earlier") : "");
  co_return true;
}

// ------------------------------------------------------------------------------------------------ small ones

Awaitable<bool> Chat::help(Words, std::string) {
  for (const auto& command : CommandTable::kCommands) {
    const std::string call = std::string(command.name) + " " + command.arguments;
    const std::size_t width = columns_of(call);
    screen_.note("  " + call + std::string(width < 34 ? 34 - width : 1, ' ') + screen_.dim(command.help));
  }
  screen_.note("  " + screen_.dim("What does not begin with / is sent; // sends what begins with one."));
  co_return true;
}

Awaitable<bool> Chat::quit(Words, std::string) {
  input_.end();
  co_return true;
}

}  // namespace holdfast::chat
