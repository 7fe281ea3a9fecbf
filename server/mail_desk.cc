#include "server/mail_desk.h"

#include "server/mail/mail_config.h"
#include "server/services/incident_mail.h"
#include "server/services/missed_assembly.h"
#include "server/services/verification_mail.h"

namespace holdfast {
namespace {

std::string in_words(const mail::MailerOptions& options) {
  if (options.relays.empty())
    return "files in " + options.outbox.directory.string() + ": no relay is configured (mail.relays)";
  std::string names;
  for (const mail::Relay& relay : options.relays) names += (names.empty() ? "" : ", then ") + relay.name();
  return names;
}

}  // namespace

Result<std::unique_ptr<MailDesk>> MailDesk::start(const Config& config, const std::filesystem::path& data,
                                                  const std::string& base_url) {
  if (const Status checked = mail::check_mail(config.mail); !checked) return checked.error();
  auto templates = mail::Templates::load(config.mail.templates);
  if (!templates) return templates.error();
  mail::MailerOptions options = mail::mailer_options(config.mail, data / "outbox");
  std::string goes_to = in_words(options);
  auto mailer = mail::Mailer::start(std::move(options));
  if (!mailer) return mailer.error();
  return std::unique_ptr<MailDesk>(
      new MailDesk(config, base_url, std::move(*templates), std::move(*mailer), std::move(goes_to)));
}

MailDesk::MailDesk(const Config& config, const std::string& base_url, mail::Templates templates,
                   std::unique_ptr<mail::Mailer> mailer, std::string goes_to)
    : templates_(std::move(templates)),
      mailer_(std::move(mailer)),
      sender_({.base_url = base_url,
               .from = mail::from_address(config.mail).str(),
               .from_name = config.mail.from_name,
               .language = config.mail.language,
               .domain = mail::message_domain(config.mail),
               .reply_domain = config.lmtp.domain},
              templates_, *mailer_),
      goes_to_(std::move(goes_to)) {
  const services::MissedMailOptions missed{base_url, !config.lmtp.domain.empty()};
  for (const char* name : {"missed_content", "missed_notice"}) sender_.add(name, services::assemble_missed(missed));
  sender_.add("verify_address", services::assemble_verification());
  sender_.add("incident", services::assemble_incident(base_url));
}

}  // namespace holdfast
