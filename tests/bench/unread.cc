#include "tests/bench/unread.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "clients/cpp/await.h"
#include "clients/cpp/client.h"
#include "net/task_group.h"

namespace holdfast::bench {
namespace {

namespace ask = client::ask;

constexpr std::size_t kBatch = 500;  // what the server provisions at once

using load::ProvisionedUser;

client::ClientOptions options_of(const Door& door, client::Credentials credentials) {
  client::ClientOptions options;
  options.endpoints = {*client::parse_endpoint("holdfast://127.0.0.1:" + std::to_string(door.port))};
  options.credentials = std::move(credentials);
  options.client_name = "holdfast-bench";
  options.request_max = std::chrono::seconds(60);
  return options;
}

std::string key_of(const Door& door) {
  std::ifstream file(door.operator_key_file);
  std::string key;
  if (!std::getline(file, key)) give_up("can't read " + door.operator_key_file);
  return key;
}

v1::ServerFrame good(const client::Reply& reply) {
  if (!reply.ok()) give_up(reply.failure->str());
  return reply.frame;
}

/// One that writes: its connection, and what it has written.
class Sender : public client::ClientEvents {
 public:
  Sender(client::ClientRuntime& runtime, const Door& door, const ProvisionedUser& user)
      : client_(runtime, options_of(door, client::ResumeWith{user.token, 0}), *this) {
    client_.start();
  }
  void on_session_ended(const client::Failure& failure) override { give_up("a sender's session: " + failure.str()); }

  /// Into a conversation of its own with each.
  Awaitable<void> write_to(std::vector<UserId> users, Unread what) {
    for (const UserId& user : users) {
      auto opening = ask::open_direct(user);
      const auto opened = good(co_await client::asking(client_, std::move(opening)));
      const auto conversation = ConversationId::from_bytes(opened.conversation().conversation_id());
      for (std::size_t i = 0; i < what.messages; ++i) {
        const auto sent = co_await client::sending(client_, *conversation, std::string(what.body_bytes, 'm'));
        if (!sent.ok()) give_up("a message: " + sent.failure->str());
      }
    }
    is_done_ = true;
  }
  bool is_done() const { return is_done_; }

 private:
  bool is_done_ = false;
  client::Client client_;  // last: it may call us from its destructor
};

Awaitable<std::vector<ProvisionedUser>> provision(client::Client& boss, const std::string& prefix, std::size_t count,
                                                  bool with_address) {
  std::vector<ProvisionedUser> users;
  while (users.size() < count) {
    std::vector<std::string> names, emails;
    for (std::size_t i = users.size(); i < count && names.size() < kBatch; ++i) {
      names.push_back(prefix + std::to_string(i));
      if (with_address) emails.push_back(names.back() + "@inbox.test");
    }
    auto frame = ask::provision_users(names, "bench", emails);
    const auto made = good(co_await client::asking(boss, std::move(frame)));
    for (const auto& user : made.provisioned().users()) {
      if (user.has_error()) give_up(user.username() + ": " + user.error().message());
      users.push_back({user.username(), *UserId::from_bytes(user.user_id()), user.token()});
    }
  }
  co_return users;
}

std::vector<std::vector<UserId>> dealt(const std::vector<ProvisionedUser>& readers, const Unread& what) {
  std::vector<std::vector<UserId>> work(what.senders);
  for (std::size_t talk = 0; talk < what.talks; ++talk)  // with another sender each time
    for (std::size_t i = 0; i < readers.size(); ++i) work[(i + talk) % work.size()].push_back(readers[i].user);
  return work;
}

Awaitable<void> write_all(client::ClientRuntime* runtime, TaskGroup* tasks, Door door, Unread what,
                          std::vector<ProvisionedUser>* readers_made) {
  client::ClientEvents no_events;
  auto boss =
      std::make_unique<client::Client>(*runtime, options_of(door, client::OperatorWith{key_of(door)}), no_events);
  boss->start();
  const auto readers = co_await provision(*boss, "reader-", what.users, true);
  const auto writers = co_await provision(*boss, "writer-", what.senders, false);
  auto work = dealt(readers, what);
  std::vector<std::unique_ptr<Sender>> senders;
  for (const ProvisionedUser& writer : writers) senders.push_back(std::make_unique<Sender>(*runtime, door, writer));
  for (std::size_t i = 0; i < senders.size(); ++i)
    tasks->spawn("sender", senders[i]->write_to(std::move(work[i]), what));
  boost::asio::steady_timer timer(runtime->executor());
  while (!std::ranges::all_of(senders, [](const auto& sender) { return sender->is_done(); })) {
    timer.expires_after(std::chrono::milliseconds(20));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  // The last answer came from within a client, which must not be destroyed from there.
  co_await boost::asio::post(runtime->executor(), boost::asio::use_awaitable);
  *readers_made = readers;
}

}  // namespace

std::vector<ProvisionedUser> write_unread(const Door& door, const Unread& what) {
  std::vector<ProvisionedUser> readers;
  boost::asio::io_context io(1);
  client::ClientRuntime runtime(io.get_executor());
  TaskGroup tasks(io.get_executor());
  tasks.spawn("unread", write_all(&runtime, &tasks, door, what, &readers));
  io.run();
  return readers;
}

}  // namespace holdfast::bench
