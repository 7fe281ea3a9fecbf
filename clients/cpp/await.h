/// The client for coroutines: ask and wait for the answer, in one line.
#pragma once

#include "clients/cpp/client.h"
#include "net/asio.h"

namespace holdfast::client {

/// Client::request() that is waited for. The client outlives the wait, or is closed before it is destroyed.
Awaitable<Reply> asking(Client& client, v1::ClientFrame frame);
/// Client::send() that is waited for; what it refuses at once comes as a failure, too.
Awaitable<SendResult> sending(Client& client, ConversationId conversation, std::string body,
                              ask::PostOptions options = {});

}  // namespace holdfast::client
