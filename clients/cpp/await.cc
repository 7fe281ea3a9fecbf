#include "clients/cpp/await.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace holdfast::client {

namespace {

/// Asio's handlers can only be moved, std::function wants to copy: the handler is shared. It is called from the loop,
/// not from within the client, so that the coroutine may destroy the client.
template <class Value, class Handler>
std::function<void(const Value&)> from_the_loop(Handler&& handler) {
  auto shared = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
  return [shared](const Value& value) {
    auto executor = boost::asio::get_associated_executor(*shared);
    boost::asio::post(executor, [shared, value] { std::move (*shared)(value); });
  };
}

}  // namespace

Awaitable<Reply> asking(Client& client, v1::ClientFrame frame) {
  auto start = [](auto handler, Client* to, v1::ClientFrame asked) {
    to->request(std::move(asked), from_the_loop<Reply>(std::move(handler)));
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Reply)>(
      std::move(start), boost::asio::use_awaitable, &client, std::move(frame));
}

Awaitable<SendResult> sending(Client& client, ConversationId conversation, std::string body, ask::PostOptions options) {
  auto start = [](auto handler, Client* to, ConversationId where, std::string text, ask::PostOptions how) {
    auto done = from_the_loop<SendResult>(std::move(handler));
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
