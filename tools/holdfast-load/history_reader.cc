#include "tools/holdfast-load/history_reader.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "clients/cpp/await.h"
#include "net/task_group.h"

namespace holdfast::load {
namespace {

constexpr std::uint32_t kPage = 500;
constexpr std::size_t kReaders = 8;
constexpr std::chrono::seconds kAnswerMax{60};

struct Reading {
  client::ClientRuntime& runtime;
  const Options& options;
  const std::vector<std::unique_ptr<Pair>>& pairs;
  std::vector<ProvisionedUser> users;
  std::size_t next = 0;
  std::uint64_t posts = 0;
  Status status = Ok{};
};

client::ClientOptions client_options(const Options& options, const std::string& token) {
  client::ClientOptions all;
  all.endpoints = options.endpoints;
  all.trust = options.trust;
  all.credentials = client::ResumeWith{token, 0};
  all.client_name = "holdfast-load";
  all.request_max = kAnswerMax;
  return all;
}

Awaitable<Status> read_conversation(Reading* reading, client::Client* client, Pair* pair) {
  client::ask::Page page{1, false, kPage};
  while (true) {
    auto frame = client::ask::history(pair->conversation(), page);
    const auto reply = co_await client::asking(*client, std::move(frame));
    if (!reply.ok()) co_return Error{Errc::io, "history: " + reply.failure->str()};
    const auto& history = reply.frame.history();
    for (const auto& change : history.changes()) {
      pair->seen_in_history(change);
      if (change.has_posted()) ++reading->posts;
      page.from = change.number() + 1;
    }
    if (!history.more() || history.changes().empty()) co_return Ok{};
  }
}

/// One of the readers: conversation after conversation, each with its own new session.
Awaitable<void> read_some(Reading* reading) {
  client::ClientEvents ignored;
  while (reading->next < reading->pairs.size() && reading->status) {
    const std::size_t index = reading->next++;
    auto options = client_options(reading->options, reading->users[index].token);
    auto client = std::make_unique<client::Client>(reading->runtime, std::move(options), ignored);
    client->start();
    auto done = co_await read_conversation(reading, client.get(), reading->pairs[index].get());
    if (!done) reading->status = done.error();
    // We are inside a callback of the client, which must not be destroyed from there.
    co_await boost::asio::post(reading->runtime.executor(), boost::asio::use_awaitable);
  }
}

}  // namespace

Awaitable<Result<std::uint64_t>> read_histories(client::ClientRuntime& runtime, const Options& options,
                                                const std::vector<std::unique_ptr<Pair>>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair->sender().name);
  auto users = co_await provision(runtime, options, std::move(names));
  if (!users) co_return users.error();
  Reading reading{runtime, options, pairs, std::move(*users)};
  TaskGroup readers(runtime.executor());
  for (std::size_t i = 0; i < kReaders; ++i) readers.spawn("history reader", read_some(&reading));
  co_await readers.join();
  if (!reading.status) co_return reading.status.error();
  co_return reading.posts;
}

}  // namespace holdfast::load
