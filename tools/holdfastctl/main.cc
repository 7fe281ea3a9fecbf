// holdfastctl: an operator's tool. See options.cc for its help.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <iostream>

#include "base/hash.h"
#include "base/start.h"
#include "clients/cpp/await.h"
#include "net/task_group.h"
#include "tools/holdfastctl/options.h"

using namespace holdfast;
using namespace holdfast::ctl;

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

/// Standard output, or a file that nobody else can read, from its first byte on.
class Sink {
 public:
  explicit Sink(const std::string& path) : path_(path) {
    if (!path.empty()) file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  ~Sink() {
    if (file_ > STDOUT_FILENO) ::close(file_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  bool write(const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t moved = ::write(file_, bytes.data() + done, bytes.size() - done);
      if (moved <= 0) {
        std::cerr << "holdfastctl: cannot write " << path_ << ": " << std::strerror(errno) << "\n";
        return false;
      }
      done += static_cast<std::size_t>(moved);
    }
    return true;
  }

 private:
  std::string path_;
  int file_ = STDOUT_FILENO;
};

int write_users(Sink& sink, const v1::ProvisionReply& reply) {
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
  return sink.write(lines) ? code : static_cast<int>(kExitRefused);
}

Awaitable<int> provision(client::Client* to, const Events* events, std::vector<std::string> names, std::string out) {
  Sink sink(out);
  int code = kExitOk;
  for (std::size_t at = 0; at < names.size(); at += kProvisionMax) {
    const auto end = names.begin() + static_cast<long>(std::min(names.size(), at + kProvisionMax));
    const std::vector<std::string> some(names.begin() + static_cast<long>(at), end);
    const auto reply = co_await asking(*to, client::ask::provision_users(some, "provisioned"));
    if (!reply.ok()) co_return report(reply, *events);
    code = std::max(code, write_users(sink, reply.frame.provisioned()));
  }
  co_return code;
}

Awaitable<int> carry_out(client::Client* to, const Events* events, Options options) {
  if (auto* names = std::get_if<std::vector<std::string>>(&options.task)) {
    const int code = co_await provision(to, events, std::move(*names), options.out);
    co_return code;
  }
  auto frame = client::ask::rotate_token_key();
  if (auto* change = std::get_if<client::ask::StatusChange>(&options.task))
    frame = client::ask::set_account_status(std::move(*change));
  const auto reply = co_await asking(*to, std::move(frame));
  co_return report(reply, *events);
}

Awaitable<void> run(client::ClientRuntime* runtime, Options options, int* code) {
  Events events;
  client::ClientOptions client_options;
  client_options.endpoints = options.endpoints;
  client_options.trust = options.trust;
  client_options.credentials = client::OperatorWith{options.key};
  client_options.client_name = "holdfastctl/0.1";
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

int main(int argc, char** argv) {
  start_process();
  auto options = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  int code = kExitOk;
  boost::asio::io_context io;
  client::ClientRuntime runtime(io.get_executor());
  TaskGroup tasks(io.get_executor());
  tasks.spawn("ctl", run(&runtime, std::move(std::get<Options>(options)), &code));
  io.run();
  return code;
}
