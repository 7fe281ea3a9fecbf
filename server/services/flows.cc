#include "server/services/flows.h"

#include "server/chat/flow.h"

namespace holdfast::services {
namespace {

/// The services' requests, each with who may ask and its flow.
constexpr chat::Route kRoutes[] = {
    // e-mail fallback
    {v1::ClientFrame::kSetMailSettings, chat::Needs::session, chat::Goes::to_user},
    {v1::ClientFrame::kGetMailSettings, chat::Needs::session, chat::Goes::to_user},
};

}  // namespace

void run_request(chat::Backend& backend, chat::Caller caller, v1::ClientFrame request,
                 std::function<void(chat::RequestOutcome)> then, std::function<void(v1::ServerFrame)> push) {
  chat::run_routed(backend, std::move(caller), std::move(request), kRoutes, std::move(then), std::move(push));
}

}  // namespace holdfast::services
