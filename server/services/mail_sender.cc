#include "server/services/mail_sender.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "base/hash.h"
#include "base/seam.h"
#include "server/chat/mail_key.h"
#include "server/mail/message_id.h"
#include "server/mail/seams.h"
#include "server/services/link_token.h"

namespace holdfast::services {
namespace {

using Done = command::IntentDone;
using Then = std::function<void(Done)>;

Done done(Done::Outcome outcome, int code = 0) {
  Done done;
  done.set_outcome(outcome);
  done.set_code(static_cast<std::uint32_t>(std::max(code, 0)));
  return done;
}

Done done(const mail::Sent& sent) {
  switch (sent.outcome) {
    case mail::Outcome::sent: return done(Done::DONE, sent.code);
    case mail::Outcome::never: return done(Done::NEVER, sent.code);
    case mail::Outcome::unoffered: return done(Done::BUSY);  // no attempt
    case mail::Outcome::later: break;
  }
  return done(Done::LATER, sent.code);
}

struct LinkKind {
  const char* purpose;  ///< of the secret
  const char* page;
};
std::optional<LinkKind> link_kind(state::Mail::Link link) {
  switch (link) {
    case state::Mail::RESET: return LinkKind{"reset", "/reset"};
    case state::Mail::VERIFY: return LinkKind{"verify", "/verify"};
    default: return std::nullopt;
  }
}

/// What only the server's fault can bring about: it is tried again when somebody has mended it.
Error ours(const std::string& what, const Error& error) { return {error.code, what + ": " + error.message}; }

}  // namespace

MailSender::MailSender(MailSenderOptions options, const mail::Templates& templates, mail::Mailer& mailer)
    : options_(std::move(options)), templates_(templates), mailer_(mailer) {}

void MailSender::begin(chat::Backend& backend, chat::BeginIntent intent, IsOurs is_ours, Then then) {
  pass_seam(mail::seams::kBegun);
  if (!mailer_.has_room()) return then(done(Done::BUSY));
  const auto assembly = assemblies_.find(intent.intent.mail().template_());
  if (assembly == assemblies_.end()) return send(backend.mail_key(), intent, {}, is_ours, then);
  Task<Addition> assembling = assembly->second(backend, intent);
  run_task(std::move(assembling), [this, &backend, intent = std::move(intent), is_ours = std::move(is_ours),
                                   then = std::move(then)](Addition added) {
    if (added.unwanted) return then(done(Done::UNWANTED));
    if (added.later) return then(done(Done::LATER));
    send(backend.mail_key(), intent, added, is_ours, then);
  });
}

void MailSender::send(const chat::MailKey& key, const chat::BeginIntent& intent, const Addition& addition,
                      const IsOurs& is_ours, const Then& then) {
  auto mail = compose(key, intent, addition);
  if (!mail) {
    spdlog::error("mail_not_made template={} why='{}'", intent.intent.mail().template_(), mail.error().message);
    return then(done(mail.error().code == Errc::not_found ? Done::NEVER : Done::LATER));
  }
  pass_seam(mail::seams::kMade);
  const std::string name = intent.intent.mail().template_();
  const auto ended = [then, name](const mail::Sent& sent) {
    if (sent.outcome == mail::Outcome::sent)
      spdlog::info("mail_sent template={} code={}", name, sent.code);
    else if (sent.outcome != mail::Outcome::unoffered)
      spdlog::warn("mail_{} template={} code={} why='{}'", mail::name_of(sent.outcome), name, sent.code, sent.text);
    then(done(sent));
  };
  const bool taken = mailer_.send(std::move(*mail), ended, is_ours);
  if (!taken) then(done(Done::BUSY));
}

/// Errc::not_found: the address is none that mail can be sent to.
Result<mail::Mail> MailSender::compose(const chat::MailKey& key, const chat::BeginIntent& intent,
                                       const Addition& addition) const {
  const state::Mail& wish = intent.intent.mail();
  auto to = mail::Address::parse(wish.to());
  if (!to) return Error{Errc::not_found, to.error().message};
  auto from = mail::Address::parse(options_.from);
  if (!from) return ours("mail.from", from.error());

  mail::Values values = addition.values;
  for (const auto& value : wish.values()) values.single[value.name()] = value.value();
  values.single["service"] = options_.from_name;
  values.single["base_url"] = options_.base_url;
  if (const auto link = link_kind(wish.link()))
    values.single["link"] = options_.base_url + link->page +
                            "?t=" + LinkToken{intent.user, intent.id, key.secret(link->purpose, intent.id)}.str();
  if (!addition.unsubscribe_url.empty()) values.single["unsubscribe_url"] = addition.unsubscribe_url;
  const bool can_answer = !addition.reply_to_local.empty() && !options_.reply_domain.empty();
  if (can_answer) values.single["can_answer"] = "yes";

  const std::string& name = addition.template_name.empty() ? wish.template_() : addition.template_name;
  auto rendered = templates_.render(name, wish.language().empty() ? options_.language : wish.language(), values);
  if (!rendered) return Error{Errc::invalid_argument, "template " + name + ": " + rendered.error().message};
  mail::Headers headers{.from = std::move(*from),
                        .from_name = options_.from_name,
                        .to = std::move(*to),
                        .subject = std::move(rendered->subject),
                        .id = mail::message_id_of(intent.id.bytes(), options_.domain),
                        .date = from_ms(intent.intent.created_ms()),
                        .reply_to = std::nullopt,
                        .references = {},
                        .unsubscribe_url = {}};
  if (addition.unsubscribe_url.starts_with("https://")) headers.unsubscribe_url = addition.unsubscribe_url;  // RFC 8058
  if (can_answer) {
    auto reply_to = mail::Address::parse(addition.reply_to_local + "@" + options_.reply_domain);
    if (!reply_to) return ours("the address for answers", reply_to.error());
    headers.reply_to = std::move(*reply_to);
  }
  return mail::compose(headers, {std::move(rendered->text), std::move(rendered->html)});
}

}  // namespace holdfast::services
