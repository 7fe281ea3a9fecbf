#include "server/services/account_mail.h"

#include <ctime>

#include "server/chat/changes.h"
#include "server/chat/once.h"
#include "server/services/addresses.h"
#include "server/services/intents.h"
#include "server/services/replies.h"
#include "server/services/resets.h"
#include "server/services/secrets.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

/// What happened is no news any more.
constexpr std::chrono::hours kNewsLifetime{72};

std::string utc_text(WallTime time) {
  const std::time_t seconds = to_ms(time) / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts)};
}

PartitionId partition_of_hash(const std::string& hash, std::uint16_t partitions) {
  const auto id = UserId::from_bytes(hash);  // placed as an id is
  HF_CHECK(id, "an address's hash has 16 bytes");
  return partition_of(*id, partitions);
}

command::Command about(const std::string& user) {
  command::Command command;
  command.set_user(user);
  command.mutable_mail_account();
  return command;
}

void tell_address(const bus::EventAt& at, const std::string& user, const std::string& hash, bool gone,
                  bus::Outcome& outcome) {
  if (hash.empty()) return;
  command::Command command;
  command::LinkAddress& link = *command.mutable_link_address();
  link.set_address_hash(hash);
  link.set_user(user);
  link.set_gone(gone);
  outcome.commands.emplace_back(partition_of_hash(hash, at.partitions), std::move(command));
}

void address_set(const bus::EventAt& at, const log::AddressSet& set, bus::Outcome& outcome) {
  command::Command news = about(set.user());
  news.mutable_mail_account()->set_verify(set.address());
  news.mutable_mail_account()->set_address_changed(set.before());
  // One command for each partition: the hash may live here.
  const bool here = !set.hash_before().empty() && partition_of_hash(set.hash_before(), at.partitions) == at.partition;
  if (here) news.mutable_mail_account()->set_unlink(set.hash_before());
  outcome.commands.emplace_back(at.partition, std::move(news));
  if (!here) tell_address(at, set.user(), set.hash_before(), true, outcome);
}

/// One run of the rule.
class Teller {
 public:
  Teller(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft)
      : context_(context), source_(command.source()), user_(chat::user_of(command)), view_(view), draft_(draft) {
    account_ = view.get<state::Account>(keys::account(user_));
  }

  bool is_reachable() const { return account_ && account_->email_verified(); }

  void verify(const std::string& address) {
    if (!account_ || address.empty() || account_->email() != address || account_->email_verified()) return;
    state::Secrets secrets = secrets_of(user_, view_);
    if (begin_verification(context_, user_, intent("verify_address"), *account_, secrets, draft_))
      save_secrets(context_, user_, std::move(secrets), draft_);
  }

  void tell(const char* template_name, const std::string& to, const std::string& device = {}) {
    if (!account_ || to.empty() || !context_.limits.owner_mails_enabled) return;
    NewIntent news{user_, intent(template_name), context_.now, context_.now + kNewsLifetime, {}};
    news.mail.set_template_(template_name);
    news.mail.set_to(to);
    add_value(news.mail, "user", account_->username());
    add_value(news.mail, "when", utc_text(context_.now));
    if (!device.empty()) add_value(news.mail, "device", device);
    add_intent(context_, news, draft_);
  }
  void tell_owner(const char* template_name, const std::string& device = {}) {
    if (is_reachable()) tell(template_name, account_->email(), device);
  }

  /// The link voids one that was asked for: there is one at a time, and this mail is the newest.
  void locked(WallTime until) {
    const bool on = context_.limits.owner_mails_enabled && context_.limits.resets_enabled;
    if (!on || !is_reachable() || until <= context_.now) return;
    state::Secrets secrets = secrets_of(user_, view_);
    if (secrets.lock_told_ms() != 0 && from_ms(secrets.lock_told_ms()) + context_.limits.secrets_window > context_.now)
      return;
    secrets.set_lock_told_ms(to_ms(context_.now));
    NewReset reset{.user = user_,
                   .intent = intent("login_locked"),
                   .by = log::ResetAsked::LOCK,
                   .due = context_.now,
                   .lifetime = context_.limits.reset_lifetime};
    reset.mail.set_template_("login_locked");
    const auto lock = std::chrono::ceil<std::chrono::minutes>(until - context_.now);
    add_value(reset.mail, "lock_minutes", std::to_string(lock.count()));
    begin_reset(context_, std::move(reset), *account_, secrets, draft_);
    save_secrets(context_, user_, std::move(secrets), draft_);
  }

  void stolen(const std::string& session_bytes) {
    const auto session = SessionId::from_bytes(session_bytes);
    if (!session || !is_reachable()) return;
    const auto row = view_.get<state::Session>(keys::session(user_, *session));
    tell_owner("session_stolen", row ? row->device_name() : "");
  }

 private:
  IntentId intent(std::string_view what) const {
    return intent_made_by(what, {user_.bytes(), std::to_string(source_.seq()), std::to_string(source_.event())});
  }

  const chat::Context& context_;
  const command::Source& source_;
  const UserId user_;
  chat::View& view_;
  chat::Draft& draft_;
  std::optional<state::Account> account_;
};

}  // namespace

void AccountMail::on_event(const bus::EventAt& at, chat::View&, bus::Outcome& outcome) const {
  const log::Event& event = at.event();
  const auto to_own = [&](command::Command news) { outcome.commands.emplace_back(at.partition, std::move(news)); };
  switch (event.what_case()) {
    case log::Event::kAddressSet: return address_set(at, event.address_set(), outcome);
    case log::Event::kAddressVerified:
      return tell_address(at, event.address_verified().user(), event.address_verified().address_hash(), false, outcome);
    case log::Event::kAddressFailing:
      return tell_address(at, event.address_failing().user(), event.address_failing().hash_before(), true, outcome);
    case log::Event::kAccountDeleted:
      return tell_address(at, event.account_deleted().user(), event.account_deleted().address_hash(), true, outcome);
    case log::Event::kPasswordChanged: {
      command::Command news = about(event.password_changed().user());
      news.mutable_mail_account()->mutable_password_changed()->set_recovered(event.password_changed().how() ==
                                                                             log::PasswordChanged::RECOVERED);
      return to_own(std::move(news));
    }
    case log::Event::kLoginLocked: {
      if (event.login_locked().user().empty()) return;  // nobody has the name
      command::Command news = about(event.login_locked().user());
      news.mutable_mail_account()->set_locked_until_ms(event.login_locked().until_ms());
      return to_own(std::move(news));
    }
    case log::Event::kSessionEnded: {
      if (!event.session_ended().stolen()) return;
      command::Command news = about(event.session_ended().user());
      news.mutable_mail_account()->set_stolen_session(event.session_ended().session());
      return to_own(std::move(news));
    }
    default: return;  // for other subscribers
  }
}

void mail_account(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (!chat::take_source(command, view, draft)) return;
  const command::MailAccount& news = command.mail_account();
  Teller teller(context, command, view, draft);
  teller.verify(news.verify());
  teller.tell("address_changed", news.address_changed());
  if (news.has_password_changed())
    teller.tell_owner(news.password_changed().recovered() ? "recovery_used" : "password_changed");
  if (news.has_password_changed() || !news.address_changed().empty())
    void_answers(context, chat::user_of(command), draft);
  if (news.locked_until_ms() != 0) teller.locked(from_ms(news.locked_until_ms()));
  teller.stolen(news.stolen_session());
  if (!news.unlink().empty()) unlink(chat::user_of(command), news.unlink(), view, draft);
}

}  // namespace holdfast::services
