#include "server/services/audit_lines.h"

#include "base/check.h"
#include "base/hash.h"

namespace holdfast::services {
namespace {

using state::AuditLine;

constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kIdBytesShown = 8;

/// Within the bound, and not in the middle of a character.
std::string bounded(std::string_view text) {
  if (text.size() <= kTextBytesMax) return std::string(text);
  std::size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string in_short(std::string_view id) { return to_hex(id.substr(0, kIdBytesShown)); }

/// A line under construction.
class Writing {
 public:
  Writing(std::string action, std::string outcome) {
    line_.set_action(std::move(action));
    line_.set_outcome(std::move(outcome));
  }
  Writing& by(AuditLine::Actor actor, std::string_view who = {}) {
    line_.set_actor(actor);
    if (actor == AuditLine::USER) line_.set_actor_user(std::string(who));
    if (actor == AuditLine::OPERATOR) line_.set_actor_name(bounded(who));
    return *this;
  }
  Writing& about(std::string_view user, std::string_view name = {}) {
    if (user.empty()) return *this;
    auto& subject = *line_.add_subjects();
    subject.set_user(std::string(user));
    subject.set_name(std::string(name));
    return *this;
  }
  Writing& target(std::string_view target) { return line_.set_target(bounded(target)), *this; }
  Writing& from(std::string_view source) { return line_.set_source(bounded(source)), *this; }
  Writing& why(std::string_view why) { return line_.set_why(bounded(why)), *this; }
  Writing& detail(std::string name, std::string_view value) {
    auto& detail = *line_.add_details();
    detail.set_name(std::move(name));
    detail.set_value(bounded(value));
    return *this;
  }
  Writing& count(std::string name, std::uint64_t value) {
    return value == 0 ? *this : detail(std::move(name), std::to_string(value));
  }
  AuditLine take() { return std::move(line_); }

 private:
  AuditLine line_;
};

/// Not even as a hash: of a password that was typed into the wrong field it would tell who guesses it that it is right.
constexpr std::string_view kNobody = "a name that nobody has";

AuditLine of(const log::LoggedIn& event) {
  return Writing("log_in", "done")
      .by(AuditLine::USER, event.user())
      .about(event.user())
      .from(event.peer())
      .detail("device", event.device_name())
      .detail("session", in_short(event.session()))
      .count("failed_before", event.failures())
      .take();
}

AuditLine of(const log::LoginFailed& event) {
  Writing line("log_in", "refused");
  line.by(AuditLine::ANYBODY).about(event.user()).from(event.peer()).why("wrong password");
  if (event.user().empty()) line.target(kNobody).why("unknown user");
  return line.count("failures", event.failures()).take();
}

AuditLine of(const log::LoginLocked& event) {
  Writing line("log_in_lock", "done");
  line.by(AuditLine::SERVER).about(event.user(), event.username()).from(event.peer()).why("too many failed log-ins");
  if (event.user().empty()) line.target(kNobody);
  return line.detail("until_ms", std::to_string(event.until_ms())).take();
}

AuditLine of(const log::AccountCreated& event) {
  Writing line("account_create", "done");
  line.by(event.provisioned() ? AuditLine::OPERATOR : AuditLine::USER, event.provisioned() ? "" : event.user());
  return line.about(event.user(), event.username()).from(event.peer()).take();
}

AuditLine of(const log::AccountDeleted& event) {
  Writing line("account_delete", "done");
  line.by(event.by_operator() ? AuditLine::OPERATOR : AuditLine::USER, event.by_operator() ? "" : event.user());
  return line.about(event.user(), event.username()).take();
}

AuditLine of(const log::SessionEnded& event) {
  return Writing("session_end", "done")
      .by(AuditLine::SERVER)
      .about(event.user())
      .why(event.reason())
      .detail("session", in_short(event.session()))
      .take();
}

AuditLine of(const log::OperatorActed& event) {
  return Writing(event.operation(), event.outcome().empty() ? "done" : event.outcome())
      .by(AuditLine::OPERATOR, event.by())
      .about(event.user())
      .target(event.target())
      .from(event.peer())
      .why(event.reason())
      .take();
}

AuditLine of(const log::RoleGiven& event) {
  return Writing("role", "done")
      .by(AuditLine::USER, event.by())
      .about(event.user())
      .about(event.by() == event.user() ? std::string() : event.by())
      .target("conversation " + to_hex(event.conversation()))
      .detail("role", event.role())
      .take();
}

const char* outcome_of(log::IntentEnded::Outcome outcome) {
  switch (outcome) {
    case log::IntentEnded::DONE: return "done";
    case log::IntentEnded::NEVER: return "refused";
    case log::IntentEnded::UNWANTED: return "unwanted";
    case log::IntentEnded::GIVEN_UP: return "given_up";
    default: return "unknown";
  }
}

AuditLine of(const log::IntentEnded& event) {
  return Writing("mail", outcome_of(event.outcome()))
      .by(AuditLine::SERVER)
      .about(event.user())
      .target(event.what())
      .count("code", event.code())
      .take();
}

AuditLine of(const log::ClusterHappened& event) {
  return Writing("cluster_" + event.kind(), "done")
      .by(AuditLine::SERVER)
      .target(event.node() == 0 ? "" : "node " + std::to_string(event.node()))
      .why(event.text())
      .count("by_node", event.by())
      .count("partitions", event.partitions())
      .count("took_ms", event.took_ms())
      .detail("seen_ms", std::to_string(event.time_ms()))
      .take();
}

const char* action_of(log::IncidentChanged::What what) {
  switch (what) {
    case log::IncidentChanged::STARTED: return "incident_start";
    case log::IncidentChanged::STOPPED: return "incident_stop";
    default: return "incident_update";
  }
}

AuditLine of(const log::IncidentChanged& event) {
  Writing line(action_of(event.what()), "done");
  event.automatic() ? line.by(AuditLine::SERVER) : line.by(AuditLine::OPERATOR, event.by());
  return line.from(event.peer()).why(event.text()).detail("incident", in_short(event.id())).take();
}

AuditLine of(const log::UsersLost& event) {
  return Writing("users_lost", "done")
      .by(AuditLine::SERVER)
      .target("node " + std::to_string(event.node()))
      .why("their devices did not come back in time")
      .count("users", event.users())
      .take();
}

AuditLine of(const log::PasswordChanged& event) {
  Writing line("password_change", "done");
  line.by(AuditLine::USER, event.user()).about(event.user()).from(event.peer());
  if (event.how() == log::PasswordChanged::RESET) line.why("by a mailed link");
  if (event.how() == log::PasswordChanged::RECOVERED) line.why("by an operator's one-time code");
  return line.take();
}

AuditLine of(const log::AddressSet& event) {
  return Writing("address_set", event.address().empty() ? "removed" : "done")
      .by(AuditLine::USER, event.user())
      .about(event.user())
      .take();
}

AuditLine of(const log::AddressVerified& event) {
  return Writing("address_verified", "done")
      .by(AuditLine::USER, event.user())
      .about(event.user())
      .detail("address_hash", in_short(event.address_hash()))
      .take();
}

AuditLine of(const log::AddressFailing& event) {
  return Writing("address_failing", "done")
      .by(AuditLine::SERVER)
      .about(event.user())
      .why("it has refused mails time and again")
      .take();
}

AuditLine of(const log::ResetAsked& event) {
  Writing line("reset_asked", "done");
  line.about(event.user()).from(event.peer());
  switch (event.by()) {
    case log::ResetAsked::OPERATOR: return line.by(AuditLine::OPERATOR).take();
    case log::ResetAsked::LOCK: return line.by(AuditLine::SERVER).why("log-in was locked").take();
    case log::ResetAsked::INCIDENT: return line.by(AuditLine::SERVER).why("a wave of resets").take();
    default: return line.by(AuditLine::ANYBODY).take();
  }
}

AuditLine of(const log::RecoveryGiven& event) {
  return Writing("recovery_given", "done").by(AuditLine::OPERATOR).about(event.user()).take();
}

AuditLine of(const log::SecretExpired& event) {
  const char* kind = event.kind() == log::SecretExpired::RESET      ? "reset"
                     : event.kind() == log::SecretExpired::RECOVERY ? "recovery code"
                                                                    : "verification";
  return Writing("secret_expired", "done").by(AuditLine::SERVER).about(event.user()).target(kind).take();
}

/// Nothing: it is worth no line.
std::optional<AuditLine> line_of(const log::Event& event) {
  using E = log::Event;
  switch (event.what_case()) {
    case E::kLoggedIn: return of(event.logged_in());
    case E::kLoginFailed: return of(event.login_failed());
    case E::kLoginLocked: return of(event.login_locked());
    case E::kAccountCreated: return of(event.account_created());
    case E::kAccountDeleted: return of(event.account_deleted());
    case E::kSessionEnded: return of(event.session_ended());
    case E::kOperatorActed: return of(event.operator_acted());
    case E::kRoleGiven: return of(event.role_given());
    case E::kIntentEnded: return of(event.intent_ended());
    case E::kClusterHappened: return of(event.cluster_happened());
    case E::kPasswordChanged: return of(event.password_changed());
    case E::kAddressSet: return of(event.address_set());
    case E::kAddressVerified: return of(event.address_verified());
    case E::kAddressFailing: return of(event.address_failing());
    case E::kResetAsked: return of(event.reset_asked());
    case E::kRecoveryGiven: return of(event.recovery_given());
    case E::kSecretExpired: return of(event.secret_expired());
    case E::kIncidentChanged: return of(event.incident_changed());
    case E::kUsersLost: return of(event.users_lost());
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<std::pair<PartitionId, AuditLine>> audit_lines(const bus::EventAt& at) {
  std::vector<std::pair<PartitionId, AuditLine>> lines;
  auto line = line_of(at.event());
  if (!line) return lines;
  // Where each of those whom it concerns looks for it; once.
  for (const auto& subject : line->subjects()) {
    const auto user = UserId::from_bytes(subject.user());
    HF_CHECK(user, "ids in the log have 16 bytes");
    const PartitionId home = partition_of(*user, at.partitions);
    const auto is_home = [home](const auto& one) { return one.first == home; };
    if (std::none_of(lines.begin(), lines.end(), is_home)) lines.emplace_back(home, *line);
  }
  if (lines.empty()) lines.emplace_back(at.partition, std::move(*line));
  return lines;
}

}  // namespace holdfast::services
