/// The configuration's [mail]: what is written there, whether it can work, and what the mailer makes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace holdfast::mail {

class Address;
struct MailerOptions;

struct MailConfig {
  std::string relays;  ///< as parse_relays() takes them; empty: mails go to the outbox
  std::string ca;      ///< PEM; empty: whom the system believes
  std::string from;    ///< an address; may be empty while there is no relay
  std::string from_name = "Holdfast";
  std::string domain;           ///< of Message-IDs and EHLO; empty: that of `from`
  std::string templates;        ///< a folder; empty: only what is compiled in
  std::string language = "en";  ///< for users who have not chosen one
  std::uint32_t connections = 2;
  std::size_t queue_max = 1'000;
  std::chrono::seconds timeout{30};
  std::size_t outbox_files_max = 10'000;
  std::uint64_t outbox_bytes_max = 256 << 20;
};

/// Reads the templates and looks whether the files are there. The error begins with the key: "mail.from: …".
Status check_mail(const MailConfig& config);

/// Of what passed check_mail().
Address from_address(const MailConfig& config);
std::string message_domain(const MailConfig& config);
/// `outbox`: the folder for the case that there is no relay.
MailerOptions mailer_options(const MailConfig& config, const std::filesystem::path& outbox);

}  // namespace holdfast::mail
