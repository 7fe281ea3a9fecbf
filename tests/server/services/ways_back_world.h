/// Users, their partitions and the subscriber of their accounts' events, for tests of resets, addresses and codes.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "base/task.h"
#include "server/services/account_mail.h"
#include "server/services/link_token.h"
#include "server/services/secret_links.h"
#include "storage/keys.h"
#include "tests/support/fake_backend.h"

namespace holdfast::services {

struct WaysBackWorld {
  chat::FakeBackend backend;
  AccountMail subscriber;

  /// What the bus does: every event that happened since is worked off.
  void run_bus() {
    for (bool again = true; std::exchange(again, false);)
      for (std::uint16_t p = 0; p < backend.partitions(); ++p)
        for (std::size_t& done = done_[p]; done < backend.partition(PartitionId(p)).all_events.size(); again = true)
          work_off(PartitionId(p), done++);
  }

  v1::ServerFrame ask(const chat::Caller& caller, v1::ClientFrame frame) {
    if (frame.idempotency_id().empty()) frame.set_idempotency_id(backend.fresh_id().str());
    const v1::ServerFrame answer = backend.run(caller, std::move(frame)).frame;
    run_bus();
    return answer;
  }
  v1::ServerFrame ask_reset(const std::string& username) {
    v1::ClientFrame frame;
    frame.mutable_request_password_reset()->set_username(username);
    return ask({}, frame);
  }
  v1::ServerFrame ask_reset_by_address(const std::string& email) {
    v1::ClientFrame frame;
    frame.mutable_request_password_reset()->set_email(email);
    return ask({}, frame);
  }

  chat::Caller user(const std::string& name, const std::string& email = "") {
    v1::ClientFrame frame = chat::registration(backend, name, "correct horse");
    frame.mutable_register_()->set_email(email);
    const chat::RequestOutcome made = backend.run({}, frame);
    run_bus();
    return chat::caller_after(made);
  }
  chat::Caller verified_user(const std::string& name, const std::string& email) {
    const chat::Caller caller = user(name, email);
    REQUIRE_FALSE(verify(link(caller, "verify_address")).has_error());
    return caller;
  }

  template <class T>
  T finish(Task<T> task) {
    std::optional<T> got;
    run_task(std::move(task), [&got](T result) { got = std::move(result); });
    backend.settle();
    REQUIRE(got);
    run_bus();
    return std::move(*got);
  }
  v1::ServerFrame verify(const std::string& token) { return finish(use_verification_link(backend, token)); }
  v1::ServerFrame use(const std::string& token, const std::string& password) {
    return finish(use_reset_link(backend, token, {password, "192.0.2.7"}));
  }
  bool link_is_good(const std::string& token) {
    return !finish(look_at_link(backend, LinkFor::reset, token)).frame().has_error();
  }
  v1::ServerFrame log_in(const std::string& name, const std::string& password) {
    return ask({}, chat::login(backend, name, password));
  }

  state::Account account(const chat::Caller& caller) {
    return *backend.home(*caller.user).stored<state::Account>(keys::account(*caller.user));
  }
  /// The mails that are to be sent to the user, of this template or all, oldest first.
  std::vector<std::pair<IntentId, state::Intent>> mails(const chat::Caller& caller, const std::string& name = "") {
    std::vector<std::pair<IntentId, state::Intent>> found;
    const std::string prefix = keys::prefix(keys::Family::intent, caller.user->bytes());
    for (const auto& [key, value] : backend.home(*caller.user).rows) {
      if (!key.starts_with(prefix)) continue;
      state::Intent intent;
      REQUIRE(intent.ParseFromString(value));
      if (name.empty() || intent.mail().template_() == name)
        found.emplace_back(*IntentId::from_bytes(key.substr(prefix.size())), intent);
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.second.created_ms(); });
    return found;
  }
  /// The token in the newest mail of this template.
  std::string link(const chat::Caller& caller, const std::string& name) {
    const auto all = mails(caller, name);
    REQUIRE_FALSE(all.empty());
    const auto& [id, intent] = all.back();
    const char* purpose = intent.mail().link() == state::Mail::RESET ? "reset" : "verify";
    return LinkToken{*caller.user, id, backend.mail_key().secret(purpose, id)}.str();
  }
  /// Runs what is due in the user's partition; the templates of the mails that were begun.
  std::vector<std::string> run_timers(const chat::Caller& caller) {
    chat::RuleFixture& home = backend.home(*caller.user);
    std::vector<std::string> due, begun;
    for (const auto& [key, value] : home.rows) {
      const auto decoded = keys::decode(key);
      if (decoded->family == keys::Family::due && decoded->number <= static_cast<std::uint64_t>(to_ms(home.now)))
        due.push_back(key);
    }
    for (const std::string& key : due) {
      command::Command command;
      command.mutable_run_due()->set_key(key);
      home.run(command);
      for (const chat::Effect& effect : home.effects)
        if (const auto* begins = std::get_if<chat::BeginIntent>(&effect))
          begun.push_back(begins->intent.mail().template_());
    }
    run_bus();
    return begun;
  }
  template <class Matches>
  std::size_t count_events(Matches matches) {
    std::size_t found = 0;
    for (std::uint16_t p = 0; p < backend.partitions(); ++p)
      found += static_cast<std::size_t>(std::ranges::count_if(backend.partition(PartitionId(p)).all_events, matches));
    return found;
  }

 private:
  void work_off(PartitionId partition, std::size_t index) {
    log::Entry entry;
    entry.set_seq(index + 1);
    *entry.add_events() = backend.partition(partition).all_events[index];
    bus::Outcome outcome;
    chat::MapView view(backend.partition(partition).rows, nullptr);
    subscriber.on_event({partition, backend.partitions(), entry, 0}, view, outcome);
    std::set<std::uint16_t> targets;
    for (auto& [target, command] : outcome.commands) {
      CHECK(targets.insert(target.value).second);  // one for each
      command.mutable_source()->set_subscriber(std::string(subscriber.name()));
      command.mutable_source()->set_partition(partition.value);
      command.mutable_source()->set_seq(entry.seq());
      const command::Answer answer = backend.partition(target).run(command);
      CHECK_FALSE(answer.frame().has_error());
    }
  }

  std::map<std::uint16_t, std::size_t> done_;
};

}  // namespace holdfast::services
