#include "server/mail/mail_config.h"

#include <algorithm>
#include <fstream>

#include "server/mail/encoding.h"
#include "server/mail/mailer.h"
#include "server/mail/templates.h"

namespace holdfast::mail {
namespace {

constexpr const char* kOutboxFrom = "holdfast@localhost";
constexpr std::size_t kNameBytesMax = 100;

Error wrong(const std::string& key, const std::string& what) {
  return {Errc::invalid_argument, "mail." + key + ": " + what};
}

Status check_sender(const MailConfig& config) {
  if (config.from.empty() && !config.relays.empty())
    return wrong("from", "it is missing, and with a relay mails have to come from an address that it accepts");
  if (!config.from.empty())
    if (const auto from = Address::parse(config.from); !from) return wrong("from", from.error().message);
  if (!config.domain.empty())
    if (const Status domain = check_domain(config.domain); !domain) return wrong("domain", domain.error().message);
  const bool is_fit = !config.from_name.empty() && config.from_name.size() <= kNameBytesMax &&
                      one_line(config.from_name) == config.from_name;
  if (!is_fit) return wrong("from_name", "it is one line of 1 to 100 bytes of UTF-8, without blanks around it");
  return Ok{};
}

Status check_relays(const MailConfig& config) {
  if (const auto relays = parse_relays(config.relays); !relays) return wrong("relays", relays.error().message);
  if (!config.ca.empty() && !std::ifstream(config.ca).good()) return wrong("ca", config.ca + " can't be read");
  return Ok{};
}

Status check_templates(const MailConfig& config) {
  const auto templates = Templates::load(config.templates);
  if (!templates) return wrong("templates", templates.error().message);
  const auto& there = templates->languages();
  const std::string base = language_chain(config.language).front();
  for (const std::string& one : language_chain(config.language)) {
    const bool is_fallback = one == "en" && !base.starts_with("en");
    if (!is_fallback && std::find(there.begin(), there.end(), one) != there.end()) return Ok{};
  }
  std::string names;
  for (const std::string& one : there) names += (names.empty() ? "" : ", ") + one;
  return wrong("language", "there are no templates in it; there are: " + names);
}

}  // namespace

Status check_mail(const MailConfig& config) {
  if (const Status good = check_relays(config); !good) return good;
  if (const Status good = check_sender(config); !good) return good;
  return check_templates(config);
}

Address from_address(const MailConfig& config) {
  auto from = Address::parse(config.from.empty() ? kOutboxFrom : config.from);
  HF_CHECK(bool(from), "the configuration was checked");
  return std::move(*from);
}

std::string message_domain(const MailConfig& config) {
  return config.domain.empty() ? std::string(from_address(config).domain()) : config.domain;
}

MailerOptions mailer_options(const MailConfig& config, const std::filesystem::path& outbox) {
  auto relays = parse_relays(config.relays);
  HF_CHECK(bool(relays), "the configuration was checked");
  MailerOptions options;
  options.relays = std::move(*relays);
  options.ca_file = config.ca;
  options.helo = message_domain(config);
  options.connections = config.connections;
  options.queue_max = config.queue_max;
  options.timeout = config.timeout;
  options.outbox = {outbox, config.outbox_files_max, config.outbox_bytes_max};
  return options;
}

}  // namespace holdfast::mail
