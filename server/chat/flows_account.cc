#include "server/chat/flows_account.h"

#include "server/chat/common_passwords.h"

namespace holdfast::chat {
namespace {

/// Either the answer already, or the hash that the password was found right against.
struct Checked {
  std::optional<RequestOutcome> answer;
  std::string hash;
};

Task<RequestOutcome> count_wrong_password(FlowRequest request) {
  command::Command wrong = request.command();
  wrong.mutable_change_account()->mutable_wrong_password()->set_peer(request.audited_peer());
  const command::Answer counted = co_await request.backend.asking(request.own_partition(), std::move(wrong));
  if (counted.login_result().has_error()) co_return outcome(counted.login_result().error());
  co_return outcome(counted.frame());
}

/// An account without a password has the empty one.
Task<Checked> check_password(FlowRequest request, std::string password) {
  Backend& backend = request.backend;
  Checked checked;
  command::Command show = request.command();
  show.mutable_show_account();
  const command::Answer shown = co_await backend.asking(request.own_partition(), std::move(show));
  if (shown.frame().has_error() || shown.account_state().repeated()) {
    checked.answer = outcome(shown.frame());
    co_return checked;
  }
  checked.hash = shown.account_state().password_hash();
  bool right = password.empty();
  if (!checked.hash.empty()) {
    const Result<bool> verified = co_await backend.verifying(checked.hash, password);
    if (!verified) {
      checked.answer = busy();
      co_return checked;
    }
    right = *verified;
  }
  if (!right) checked.answer = co_await count_wrong_password(std::move(request));
  co_return checked;
}

Task<RequestOutcome> change(FlowRequest request, std::string checked_hash, command::ChangeAccount what) {
  command::Command command = request.command();
  *command.mutable_change_account() = std::move(what);
  command.mutable_change_account()->set_checked_hash(std::move(checked_hash));
  const command::Answer answer = co_await request.backend.asking(request.own_partition(), std::move(command));
  co_return outcome(answer.frame());
}

}  // namespace

Task<RequestOutcome> change_password(FlowRequest request) {
  const v1::ChangePassword wish = request.frame.change_password();
  const Limits& limits = request.backend.limits();
  const auto bad =
      first_complaint({bad_password(wish.old_password(), limits), bad_new_password(wish.new_password(), limits)});
  if (bad) co_return outcome(*bad);
  if (const auto common = refuse_common(wish.new_password(), request.caller.username)) co_return outcome(*common);
  Checked checked = co_await check_password(request, wish.old_password());
  if (checked.answer) co_return std::move(*checked.answer);
  Result<std::string> hash = co_await request.backend.hashing(wish.new_password());
  if (!hash) co_return busy();
  command::ChangeAccount what;
  what.mutable_change_password()->set_new_hash(std::move(*hash));
  co_return co_await change(std::move(request), std::move(checked.hash), std::move(what));
}

Task<RequestOutcome> set_email(FlowRequest request) {
  const v1::SetEmail wish = request.frame.set_email();
  const Limits& limits = request.backend.limits();
  if (const auto bad = first_complaint({bad_password(wish.password(), limits), bad_email(wish.email(), limits)}))
    co_return outcome(*bad);
  Checked checked = co_await check_password(request, wish.password());
  if (checked.answer) co_return std::move(*checked.answer);
  command::ChangeAccount what;
  what.mutable_set_email()->set_email(wish.email());
  co_return co_await change(std::move(request), std::move(checked.hash), std::move(what));
}

Task<RequestOutcome> delete_account_asked(FlowRequest request) {
  const std::string password = request.frame.delete_account().password();
  if (const auto bad = first_complaint({bad_password(password, request.backend.limits())})) co_return outcome(*bad);
  Checked checked = co_await check_password(request, password);
  if (checked.answer) co_return std::move(*checked.answer);
  command::ChangeAccount what;
  what.mutable_delete_();
  co_return co_await change(std::move(request), std::move(checked.hash), std::move(what));
}

}  // namespace holdfast::chat
