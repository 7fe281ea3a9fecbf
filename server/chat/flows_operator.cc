#include "server/chat/flows_operator.h"

#include <map>
#include <set>

#include "server/chat/ask_all.h"
#include "server/chat/mail_key.h"
#include "server/chat/placement.h"
#include "server/chat/tokens.h"

namespace holdfast::chat {
namespace {

constexpr int kUsersOfARequestMax = 500;  ///< the answer, some 200 bytes for each, fits into a frame
constexpr std::size_t kReasonBytesMax = 1024;

/// One user of the request: where it lives, under which id, and with what token it is tried this round.
struct Slot {
  PartitionId partition;
  UserId user;
  std::string token;
  std::string email;  ///< empty: none is given
};

void say(v1::ProvisionedUser& user, v1::ErrorCode code, std::string message) {
  user.mutable_error()->set_code(code);
  user.mutable_error()->set_message(std::move(message));
}

/// The request's users under way: asked in two rounds, as a name may turn out to have a user already.
class Provisioning {
 public:
  explicit Provisioning(const FlowRequest& request)
      : backend_(request.backend), request_(request), id_(*RequestId::from_bytes(request.frame.idempotency_id())) {
    std::set<std::string_view> seen;
    for (const std::string& username : request.frame.provision_users().usernames()) {
      v1::ProvisionedUser& answer = *reply_.add_users();
      answer.set_username(username);
      Slot& slot = slots_.emplace_back();
      slot.partition = partition_of_name(username, backend_.partitions());
      slot.user = random_user_in(slot.partition, backend_.partitions(), backend_.random());
      slot.email = email_of(slots_.size() - 1);
      if (const auto bad =
              first_complaint({bad_username(username, backend_.limits()), bad_email(slot.email, backend_.limits())}))
        *answer.mutable_error() = *bad;
      else if (!seen.insert(username).second)
        say(answer, v1::INVALID_ARGUMENT, "usernames: named twice");
      else
        open_.push_back(slots_.size() - 1);
    }
  }

  /// For all users without an answer yet, one question to each partition.
  std::vector<Question> questions() {
    asked_.clear();
    std::map<PartitionId, std::size_t> at;
    std::vector<Question> questions;
    for (const std::size_t i : open_) {
      const auto [it, fresh] = at.try_emplace(slots_[i].partition, questions.size());
      if (fresh) {
        questions.push_back({slots_[i].partition, start()});
        asked_.emplace_back();
      }
      add(questions[it->second].command, i);
      asked_[it->second].push_back(i);
    }
    open_.clear();
    return questions;
  }

  void take(const std::vector<command::Answer>& answers) {
    for (std::size_t q = 0; q < answers.size(); ++q)
      for (std::size_t k = 0; k < asked_[q].size(); ++k) take(asked_[q][k], answers[q], static_cast<int>(k));
  }

  v1::ServerFrame frame() {
    v1::ServerFrame frame;
    *frame.mutable_provisioned() = std::move(reply_);
    return frame;
  }

 private:
  std::string email_of(std::size_t i) const {
    const auto& emails = request_.frame.provision_users().emails();
    return emails.empty() ? "" : emails[static_cast<int>(i)];
  }

  command::Command start() const {
    command::Command command;
    command.set_idempotency_id(id_.str());
    command.mutable_provision()->set_peer(request_.audited_peer());
    return command;
  }

  void add(command::Command& command, std::size_t i) {
    constexpr std::uint32_t kFirstSerial = 1;
    Slot& slot = slots_[i];
    const SessionId session = session_made_by(slot.user, id_);
    slot.token =
        make_token(backend_.token_keys(), {slot.partition, slot.user, session, kFirstSerial}, backend_.random());
    auto& one = *command.mutable_provision()->add_users();
    one.set_username(reply_.users(static_cast<int>(i)).username());
    one.set_user(slot.user.str());
    one.set_email(slot.email);
    if (!slot.email.empty()) one.set_address_hash(backend_.mail_key().address_hash(slot.email));
    one.mutable_session()->set_session(session.str());
    one.mutable_session()->set_device_name(request_.frame.provision_users().device_name());
    one.mutable_session()->set_token_hash(token_hash(slot.token));
    one.mutable_session()->set_serial(kFirstSerial);
  }

  void take(std::size_t i, const command::Answer& answer, int place) {
    v1::ProvisionedUser& user = *reply_.mutable_users(static_cast<int>(i));
    if (answer.frame().has_error()) {
      *user.mutable_error() = answer.frame().error();
      return;
    }
    user = answer.provisioned().users(place);
    const auto existing = UserId::from_bytes(user.user_id());
    if (user.error().code() == v1::RETRY && existing && *existing != slots_[i].user) {
      slots_[i].user = *existing;
      open_.push_back(i);
    } else if (!user.has_error()) {
      user.set_token(slots_[i].token);
    }
  }

  Backend& backend_;
  const FlowRequest& request_;
  const RequestId id_;
  v1::ProvisionReply reply_;
  std::vector<Slot> slots_;                      ///< one for each user of the reply
  std::vector<std::size_t> open_;                ///< to be asked about in the next round
  std::vector<std::vector<std::size_t>> asked_;  ///< in the present round: the users of each question
};

std::optional<RequestOutcome> bad_provisioning(const FlowRequest& request) {
  const v1::ProvisionUsers& wish = request.frame.provision_users();
  if (wish.usernames_size() > kUsersOfARequestMax) return failed(v1::TOO_LARGE, "usernames: at most 500");
  if (wish.emails_size() != 0 && wish.emails_size() != wish.usernames_size())
    return failed(v1::INVALID_ARGUMENT, "emails: none, or one for each of usernames");
  if (const auto bad = bad_idempotency_id(request)) return outcome(*bad);
  if (const auto bad = first_complaint({bad_device_name(wish.device_name(), request.backend.limits())}))
    return outcome(*bad);
  return std::nullopt;
}

command::Command find(const std::string& username) {
  command::Command command;
  command.mutable_find_user()->set_username(username);
  return command;
}

}  // namespace

Task<RequestOutcome> provision_users(FlowRequest request) {
  if (auto bad = bad_provisioning(request)) co_return std::move(*bad);
  Provisioning provisioning(request);
  for (int round = 0; round < 2; ++round) {
    auto asking = asking_all(request.backend, provisioning.questions());
    const std::vector<command::Answer> answers = co_await asking;
    provisioning.take(answers);
  }
  co_return outcome(provisioning.frame());
}

Task<RequestOutcome> set_account_status(FlowRequest request) {
  const v1::SetAccountStatus& wish = request.frame.set_account_status();
  Backend& backend = request.backend;
  if (const auto bad = first_complaint(
          {bad_username(wish.username(), backend.limits()), bad_text("reason", wish.reason(), kReasonBytesMax)}))
    co_return outcome(*bad);
  const PartitionId partition = partition_of_name(wish.username(), backend.partitions());
  const command::Answer found = co_await backend.asking(partition, find(wish.username()));
  if (found.frame().has_error()) co_return outcome(found.frame());
  command::Command command;
  command.set_user(found.frame().user().user_id());
  command.set_idempotency_id(request.frame.idempotency_id());
  auto& status = *command.mutable_change_account()->mutable_set_status();
  status.set_status(wish.status());
  status.set_for_s(wish.suspended_for_s());
  status.set_reason(wish.reason());
  status.set_peer(request.audited_peer());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  co_return outcome(answer.frame());
}

Task<RequestOutcome> delete_user(FlowRequest request) {
  const v1::DeleteUser& wish = request.frame.delete_user();
  Backend& backend = request.backend;
  if (const auto bad = first_complaint(
          {bad_username(wish.username(), backend.limits()), bad_text("reason", wish.reason(), kReasonBytesMax)}))
    co_return outcome(*bad);
  const PartitionId partition = partition_of_name(wish.username(), backend.partitions());
  const command::Answer found = co_await backend.asking(partition, find(wish.username()));
  if (found.frame().has_error()) co_return outcome(found.frame());
  command::Command command;
  command.set_user(found.frame().user().user_id());
  command.set_idempotency_id(request.frame.idempotency_id());
  auto& deletion = *command.mutable_change_account()->mutable_delete_();
  deletion.set_by_operator(true);
  deletion.set_reason(wish.reason());
  deletion.set_peer(request.audited_peer());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  co_return outcome(answer.frame());
}

Task<RequestOutcome> rotate_token_key(FlowRequest request) {
  Backend& backend = request.backend;
  Awaited<Status> rotating([&backend](std::function<void(Status)> resume) { backend.rotate_token_key(resume); });
  const Status rotated = co_await rotating;
  if (!rotated) co_return failed(v1::RETRY, rotated.error().message);
  command::Command note;
  note.mutable_note_operator()->set_operation("rotate_token_key");
  note.mutable_note_operator()->set_peer(request.audited_peer());
  backend.ask(PartitionId(0), std::move(note), nobody_waits);  // it is done, and logged, whether or not this is heard
  RequestOutcome done;
  done.frame.mutable_done();
  co_return done;
}

}  // namespace holdfast::chat
