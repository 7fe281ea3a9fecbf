#include "server/services/flows.h"

#include "server/chat/flow.h"
#include "server/services/flows_audit.h"
#include "server/services/flows_wave.h"
#include "server/services/flows_ways_back.h"

namespace holdfast::services {
namespace {

using chat::Goes;
using chat::Needs;
using F = v1::ClientFrame;

/// The services' requests, each with who may ask and its flow.
constexpr chat::Route kRoutes[] = {
    // e-mail fallback
    {v1::ClientFrame::kSetMailSettings, chat::Needs::session, chat::Goes::to_user},
    {v1::ClientFrame::kGetMailSettings, chat::Needs::session, chat::Goes::to_user},
    // ways back into an account, and its address
    {F::kRequestPasswordReset, Needs::nothing, Goes::flow, request_password_reset},
    {F::kResendVerification, Needs::session, Goes::flow, resend_verification},
    {F::kVerifyAddress, Needs::nothing, Goes::flow, verify_address},
    {F::kResetPassword, Needs::operator_rights, Goes::flow, reset_password},
    {F::kRecoverAccount, Needs::operator_rights, Goes::flow, recover_account},
    {F::kStartResetWave, Needs::operator_rights, Goes::flow, start_reset_wave},
    {F::kGetResetWave, Needs::operator_rights, Goes::flow, get_reset_wave},
    // audit
    {F::kGetAuditLog, Needs::session, Goes::flow, get_audit_log},
};

}  // namespace

void run_request(chat::Backend& backend, chat::Caller caller, v1::ClientFrame request,
                 std::function<void(chat::RequestOutcome)> then, std::function<void(v1::ServerFrame)> push) {
  chat::run_routed(backend, std::move(caller), std::move(request), kRoutes, std::move(then), std::move(push));
}

}  // namespace holdfast::services
