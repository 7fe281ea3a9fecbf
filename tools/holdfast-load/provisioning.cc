#include "tools/holdfast-load/provisioning.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fstream>

#include "base/check.h"
#include "clients/cpp/await.h"

namespace holdfast::load {
namespace {

constexpr std::size_t kBatch = 500;  // what the server takes at once
constexpr std::chrono::seconds kAnswerMax{120};

class Operator final : public client::ClientEvents {
 public:
  Operator(client::ClientRuntime& runtime, const Target& target, std::string key)
      : client(runtime, client_options(target, std::move(key)), *this) {}
  void on_reconnecting(const client::Reconnecting& why) override { last_trouble = why.reason; }
  void on_session_ended(const client::Failure& failure) override { last_trouble = failure.str(); }

  std::string last_trouble;

 private:
  static client::ClientOptions client_options(const Target& target, std::string key) {
    client::ClientOptions all;
    all.endpoints = target.endpoints;
    all.trust = target.trust;
    all.credentials = client::OperatorWith{std::move(key)};
    all.client_name = "holdfast-load";
    all.request_max = kAnswerMax;
    return all;
  }

 public:
  client::Client client;  // last: it may call us from its destructor
};

std::vector<std::string> slice(const std::vector<std::string>& all, std::size_t from, std::size_t to) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to)};
}

Status take(const v1::ProvisionReply& reply, std::vector<ProvisionedUser>& users) {
  for (const auto& made : reply.users()) {
    const auto user = UserId::from_bytes(made.user_id());
    if (made.has_error() || !user)
      return Error{Errc::invalid_argument, made.username() + ": " + made.error().message()};
    users.push_back({made.username(), *user, made.token()});
  }
  return Ok{};
}

}  // namespace

Result<std::string> read_operator_key(const std::string& path) {
  std::ifstream file(path);
  std::string key;
  if (!file || !std::getline(file, key))
    return Error{Errc::io, "can't read the operator key " + path +
                               " (--operator-key; the server writes it into its data directory)"};
  return key;
}

Awaitable<Result<std::vector<ProvisionedUser>>> provision(client::ClientRuntime& runtime, const Target& target,
                                                          std::vector<std::string> names,
                                                          std::vector<std::string> emails) {
  HF_CHECK(emails.empty() || emails.size() == names.size(), "an address for each, or none");
  auto key = read_operator_key(target.operator_key_file);
  if (!key) co_return key.error();
  auto asker = std::make_unique<Operator>(runtime, target, std::move(*key));
  asker->client.start();

  std::vector<ProvisionedUser> users;
  Status status = Ok{};
  for (std::size_t from = 0; from < names.size() && status; from += kBatch) {
    const std::size_t to = std::min(from + kBatch, names.size());
    auto frame = client::ask::provision_users(slice(names, from, to), "holdfast-load",
                                              emails.empty() ? emails : slice(emails, from, to));
    auto reply = co_await client::asking(asker->client, std::move(frame));
    if (reply.ok())
      status = take(reply.frame.provisioned(), users);
    else
      status = Error{Errc::io, "provisioning: " + reply.failure->str() +
                                   (asker->last_trouble.empty() ? "" : " (" + asker->last_trouble + ")")};
  }
  // We are inside a callback of the client, which must not be destroyed from there.
  co_await boost::asio::post(runtime.executor(), boost::asio::use_awaitable);
  asker.reset();
  if (!status) co_return status.error();
  co_return users;
}

}  // namespace holdfast::load
