#include "clients/cpp/await.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace holdfast::client {

namespace {
/// Asio's handlers can only be moved, std::function wants to copy: the handler is shared.
template <class Handler>
auto shared_handler(Handler&& handler) {
  return std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
}
}  // namespace

Awaitable<Reply> asking(Client& client, v1::ClientFrame frame) {
  auto start = [](auto handler, Client* to, v1::ClientFrame asked) {
    auto shared = shared_handler(std::move(handler));
    to->request(std::move(asked), [shared](const Reply& reply) { std::move (*shared)(reply); });
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Reply)>(
      std::move(start), boost::asio::use_awaitable, &client, std::move(frame));
}

Awaitable<SendResult> sending(Client& client, ConversationId conversation, std::string body, ask::PostOptions options) {
  auto start = [](auto handler, Client* to, ConversationId where, std::string text, ask::PostOptions how) {
    auto shared = shared_handler(std::move(handler));
    auto done = [shared](const SendResult& result) { std::move (*shared)(result); };
    auto taken = to->send(where, std::move(text), done, std::move(how));
    if (taken) return;
    SendResult refused_at_once;
    refused_at_once.conversation = where;
    const auto cause = taken.error().code == Errc::retry_later ? Failure::Cause::full : Failure::Cause::closed;
    refused_at_once.failure = failed(cause, taken.error().message);
    done(refused_at_once);
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(SendResult)>(
      std::move(start), boost::asio::use_awaitable, &client, conversation, std::move(body), std::move(options));
}

}  // namespace holdfast::client
