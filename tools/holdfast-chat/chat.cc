#include "tools/holdfast-chat/chat.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/version.h"
#include "tools/holdfast-chat/text.h"

namespace holdfast::chat {

using client::Client;
using std::chrono::milliseconds;

namespace {

/// A session's file: who at which server, in characters that every file system takes.
std::string session_file(const Options& options, const std::string& user) {
  std::string name = user + "@" + options.endpoints.front().host + "_" + std::to_string(options.endpoints.front().port);
  for (char& c : name)
    if (c == '/' || c == ':' || c == '\0') c = '_';
  return options.state_dir + "/" + name + ".session";
}

/// The users whose sessions are stored for this server.
std::vector<std::string> stored_users(const Options& options) {
  std::vector<std::string> users;
  const std::string suffix = session_file(options, "").substr(options.state_dir.size() + 1);
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(options.state_dir, error)) {
    const std::string name = file.path().filename().string();
    if (name.size() > suffix.size() && name.ends_with(suffix))
      users.push_back(name.substr(0, name.size() - suffix.size()));
  }
  return users;
}

}  // namespace

Chat::Chat(any_io_executor executor, Options options, Screen& screen, Input& input)
    : executor_(executor),
      options_(std::move(options)),
      screen_(screen),
      input_(input),
      runtime_(executor),
      tasks_(executor),
      signals_(executor),
      state_changed_(executor),
      arrived_(executor),
      tick_(executor),
      started_(steady_now()) {
  client_options_.endpoints = options_.endpoints;
  client_options_.trust = options_.trust;
  client_options_.device_name = "holdfast-chat";
  client_options_.client_name = "holdfast-chat/" + std::string(kVersion);
  client_options_.auto_ack = false;  // read is what was printed
}

// ------------------------------------------------------------------------------------------------ begin

Awaitable<std::optional<std::string>> Chat::ask_line(std::string question, bool secret) {
  screen_.editor().set_secret(secret);
  screen_.set_prompt(question);
  auto line = co_await input_.next_line();
  screen_.editor().set_secret(false);
  co_return line;
}

Awaitable<std::string> Chat::choose_user() {
  if (!options_.user.empty()) co_return options_.user;
  const auto users = stored_users(options_);
  if (users.size() == 1) co_return users.front();
  if (!screen_.interactive()) co_return std::string();
  auto name = co_await ask_line("Your name: ", false);
  co_return name.value_or("");
}

Awaitable<bool> Chat::choose_credentials() {
  if (options_.password_file.empty() && !screen_.interactive()) {
    fail("log in", "no session is stored for " + options_.user + ": give --password-file");
    exit_code_ = kExitUsage;
    co_return false;
  }
  bool fresh = options_.register_user;
  if (!fresh && options_.password_file.empty()) {
    auto answer =
        co_await ask_line("No session of " + options_.user + " is stored. Log in, or register? [L/r] ", false);
    if (!answer) co_return false;
    fresh = answer->starts_with('r') || answer->starts_with('R');
  }
  std::string password;
  if (!options_.password_file.empty()) {
    std::ifstream file(options_.password_file);
    if (!std::getline(file, password)) {
      fail("log in", "cannot read a password from " + options_.password_file);
      exit_code_ = kExitUsage;
      co_return false;
    }
  } else {
    auto typed = co_await ask_line(fresh ? "Choose a password: " : "Password: ", true);
    if (!typed) co_return false;
    password = std::move(*typed);
    if (fresh) {
      const auto again = co_await ask_line("The same again: ", true);
      if (again != password) co_return fail("register", "the two passwords differ");
    }
  }
  if (fresh)
    client_options_.credentials = client::RegisterWith{options_.user, password, options_.email};
  else
    client_options_.credentials = client::LogInWith{options_.user, password};
  co_return true;
}

Awaitable<bool> Chat::choose_session() {
  options_.user = co_await choose_user();
  if (options_.user.empty()) {
    fail("log in", "who are you? give --user");
    exit_code_ = kExitUsage;
    co_return false;
  }
  auto store = client::FileSessionStore::open(session_file(options_, options_.user));
  if (!store) {
    fail("log in", store.error().message);
    exit_code_ = kExitNotConnected;
    co_return false;
  }
  store_ = std::move(*store);
  const auto saved = store_->load();
  if (!saved) {
    fail("log in", saved.error().message);
    exit_code_ = kExitNotConnected;
    co_return false;
  }
  if (*saved) {
    client_options_.credentials = client::StoredOnly{};
    co_return true;
  }
  const bool chosen = co_await choose_credentials();
  co_return chosen;
}

Awaitable<bool> Chat::come_online() {
  client_options_.liveness.in_use = screen_.interactive();
  client_ = std::make_unique<Client>(runtime_, client_options_, *this, store_.get());
  book_ = std::make_unique<Book>(*client_);
  screen_.set_prompt("");
  client_->start();
  while (!was_online_ && !ended_) co_await state_changed_.wait();
  co_return was_online_;
}

Awaitable<void> Chat::open_first() {
  co_await book_->refresh();
  if (!options_.to.empty() || !options_.group.empty()) {
    std::string line = "/open " + (options_.to.empty() ? "\"#" + options_.group + "\"" : "@" + options_.to);
    const bool opened = co_await run_line(line);
    command_failed_ = command_failed_ || !opened;
    co_return;
  }
  if (!screen_.interactive()) co_return;
  screen_.note(
      screen_.dim("You are " + client_->session().username + ". /open NAME begins a conversation, /help says more."));
  if (!book_->all().empty()) co_await run_line("/list");
}

// ------------------------------------------------------------------------------------------------ the three loops

Awaitable<void> Chat::read_lines() {
  while (!ended_) {
    update_prompt();
    auto line = co_await input_.next_line();
    if (!line || ended_) co_return;
    const bool good = co_await run_line(std::move(*line));
    command_failed_ = command_failed_ || !good;
  }
}

Awaitable<void> Chat::show_loop() {
  while (true) {
    while (items_.empty()) co_await arrived_.wait();
    showing_ = true;
    v1::InboxItem item = std::move(items_.front());
    items_.pop_front();
    const std::uint64_t position = item.position();
    co_await show_item(std::move(item));
    client_->stored(position);
    showing_ = false;
    update_prompt();
    end_when_enough();
    if (items_.empty()) state_changed_.notify();
  }
}

Awaitable<void> Chat::tick_loop() {
  while (true) {
    milliseconds pause(1'000);
    if (options_.timeout) {
      const auto left = std::chrono::ceil<milliseconds>(started_ + *options_.timeout - steady_now());
      if (left.count() <= 0) {
        end(was_online_ ? kExitTimedOut : kExitNotConnected);
        co_return;
      }
      pause = std::min(pause, left);
    }
    co_await tick_.wait(pause);
    if (client_ && was_online_) flush_marks();
    std::erase_if(typing_, [now = steady_now()](const auto& one) { return one.second < now; });
    if (was_online_ && !ended_) update_prompt();
  }
}

Awaitable<void> Chat::watch_signals() {
  error_code error;
  auto token = boost::asio::redirect_error(boost::asio::use_awaitable, error);
  co_await signals_.async_wait(token);
  if (!error) end(exit_code_);
}

// ------------------------------------------------------------------------------------------------ end

void Chat::end(int code) {
  if (ended_) return;
  ended_ = true;
  exit_code_ = code;
  input_.end();
  state_changed_.notify();
}

void Chat::end_when_enough() {
  if (options_.wait > 0 && received_ >= options_.wait) input_.end();
}

/// After the last line: everything written is to be acknowledged, everything waited for is to have arrived.
Awaitable<void> Chat::finish() {
  const auto busy = [this] {
    const bool waits = options_.wait > 0 && received_ < options_.wait && !screen_.interactive();
    return client_->outbox_size() > 0 || !items_.empty() || showing_ || waits;
  };
  if (screen_.interactive() && client_->outbox_size() > 0)
    screen_.note(screen_.dim("Some messages are not sent yet; they are kept and go out at the next start."));
  while (!ended_ && !screen_.interactive() && busy()) co_await state_changed_.wait(milliseconds(500));
  flush_marks();
}

Awaitable<int> Chat::run() {
  tasks_.spawn("ticks", tick_loop());
  if (screen_.interactive()) {
    signals_.add(SIGINT);
    signals_.add(SIGTERM);
    signals_.add(SIGHUP);
    tasks_.spawn("signals", watch_signals());
    tasks_.spawn("keys", input_.read_keys());
  }
  const bool chosen = co_await choose_session();
  if (!chosen && exit_code_ == kExitOk) exit_code_ = kExitNotConnected;
  if (chosen) {
    const bool online = co_await come_online();
    if (online) {
      tasks_.spawn("show", show_loop());
      input_.on_typing = [this] {
        const SteadyTime now = steady_now();
        const std::string& text = screen_.editor().text();
        if (open_.is_zero() || text.empty() || text.starts_with('/') || now - typing_told_ < milliseconds(3'000))
          return;
        typing_told_ = now;
        client_->cast(client::ask::set_typing(open_, true));
      };
      co_await open_first();
      co_await read_lines();
      co_await finish();
    }
    client_->close();
  }
  screen_.set_prompt("");
  input_.end();
  runtime_.cancel();
  tasks_.cancel();
  co_await tasks_.join();
  if (exit_code_ == kExitOk && command_failed_) exit_code_ = kExitCommandFailed;
  co_return exit_code_;
}

}  // namespace holdfast::chat
