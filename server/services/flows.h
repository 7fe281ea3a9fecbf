/// What a front door calls with a client's request: chat's requests and the services'.
#pragma once

#include "server/chat/flows.h"

namespace holdfast::services {

/// As chat::run_request(), which says what it promises.
void run_request(chat::Backend& backend, chat::Caller caller, v1::ClientFrame request,
                 std::function<void(chat::RequestOutcome)> then, std::function<void(v1::ServerFrame)> push);

}  // namespace holdfast::services
