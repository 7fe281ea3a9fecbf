#include "tools/holdfastctl/users.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <iostream>

#include "base/hash.h"
#include "base/version.h"
#include "clients/cpp/await.h"
#include "net/task_group.h"
#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/reset_wave.h"
#include "tools/holdfastctl/sink.h"

namespace holdfast::ctl {
namespace {

constexpr std::size_t kProvisionMax = 500;  // at once, by the protocol

/// Remembers why there is no connection.
struct Events final : client::ClientEvents {
  std::string reason = "no answer";
  bool refused = false;
  void on_reconnecting(const client::Reconnecting& r) override { reason = r.reason; }
  void on_session_ended(const client::Failure& f) override {
    reason = f.str();
    refused = true;
  }
};

int report(const client::Reply& reply, const Events& events) {
  if (reply.ok()) return kExitOk;
  const bool answered = reply.failure->cause == client::Failure::Cause::refused;
  std::cerr << "holdfastctl: " << (answered ? reply.failure->str() : events.reason) << "\n";
  return answered ? kExitRefused : kExitNotConnected;
}

/// Fails if they could not be written down: nobody else is to be made then.
Result<int> write_users(Sink& sink, const v1::ProvisionReply& reply) {
  int code = kExitOk;
  std::string lines;
  for (const auto& user : reply.users()) {
    if (user.has_error()) {
      std::cerr << "holdfastctl: " << user.username() << ": " << client::refused(user.error()).str() << "\n";
      code = kExitRefused;
    } else {
      lines += user.username() + "\t" + to_hex(user.user_id()) + "\t" + to_hex(user.token()) + "\n";
    }
  }
  if (const Status written = sink.write(lines); !written) return written.error();
  return code;
}

/// Each is NAME or NAME=ADDRESS.
v1::ClientFrame ask_for(const std::vector<std::string>& users) {
  std::vector<std::string> names, emails;
  for (const std::string& user : users) {
    const auto equals = user.find('=');
    names.push_back(user.substr(0, equals));
    emails.push_back(equals == std::string::npos ? "" : user.substr(equals + 1));
  }
  return client::ask::provision_users(names, "provisioned", emails);
}

Awaitable<int> provision(client::Client* to, const Events* events, std::vector<std::string> names, std::string out) {
  // Before anybody is made: tokens that can't be written down are lost.
  auto sink = Sink::open(out);
  if (!sink) co_return failed(sink.error());
  int code = kExitOk;
  for (std::size_t at = 0; at < names.size(); at += kProvisionMax) {
    const auto end = names.begin() + static_cast<long>(std::min(names.size(), at + kProvisionMax));
    auto frame = ask_for({names.begin() + static_cast<long>(at), end});
    const auto reply = co_await asking(*to, std::move(frame));
    if (!reply.ok()) co_return report(reply, *events);
    const auto written = write_users(*sink, reply.frame.provisioned());
    if (!written) co_return failed(written.error());
    code = std::max(code, *written);
  }
  co_return code;
}

Awaitable<int> let_back_in(client::Client* to, const Events* events, WayBack way_back) {
  auto frame = way_back.by_code ? client::ask::recover_account(way_back.username, way_back.reason)
                                : client::ask::reset_password(way_back.username, way_back.reason);
  const auto reply = co_await asking(*to, std::move(frame));
  if (reply.ok() && reply.frame.has_recovery()) std::cout << reply.frame.recovery().code() << "\n";
  co_return report(reply, *events);
}

Awaitable<int> carry_out(client::Client* to, const Events* events, Options options) {
  if (auto* names = std::get_if<std::vector<std::string>>(&options.task)) {
    const int code = co_await provision(to, events, std::move(*names), options.out);
    co_return code;
  }
  if (const auto* way_back = std::get_if<WayBack>(&options.task)) {
    const int code = co_await let_back_in(to, events, *way_back);
    co_return code;
  }
  if (const auto* wave = std::get_if<ResetWave>(&options.task)) {
    Report to_report = [events](const client::Reply& reply) { return report(reply, *events); };
    const int code = co_await run_reset_wave(to, *wave, std::move(to_report));
    co_return code;
  }
  auto frame = client::ask::rotate_token_key();
  if (auto* change = std::get_if<client::ask::StatusChange>(&options.task))
    frame = client::ask::set_account_status(std::move(*change));
  if (auto* deletion = std::get_if<Deletion>(&options.task))
    frame = client::ask::delete_user(std::move(deletion->username), std::move(deletion->reason));
  const auto reply = co_await asking(*to, std::move(frame));
  co_return report(reply, *events);
}

Awaitable<void> run(client::ClientRuntime* runtime, Options options, int* code) {
  Events events;
  client::ClientOptions client_options;
  client_options.endpoints = options.endpoints;
  client_options.trust = options.trust;
  client_options.credentials = client::OperatorWith{options.key};
  client_options.client_name = "holdfastctl/" + std::string(kVersion);
  client_options.request_max = options.timeout;
  client::Client to(*runtime, client_options, events);
  to.start();
  *code = co_await carry_out(&to, &events, std::move(options));
  // A key that is not the server's ends the session, and all that waited is told "closed".
  if (events.refused) *code = kExitNotConnected;
  to.close();
  runtime->cancel();
}

}  // namespace

int run_users(Options options) {
  int code = kExitOk;
  boost::asio::io_context io;
  client::ClientRuntime runtime(io.get_executor());
  TaskGroup tasks(io.get_executor());
  tasks.spawn("ctl", run(&runtime, std::move(options), &code));
  io.run();
  return code;
}

}  // namespace holdfast::ctl
