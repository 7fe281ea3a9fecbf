/// A node's mail, put together: templates, the mailer, and the sender that carries intents out with them.
///
/// Owned by Node. Started before the workers run, stopped before they end, and before a node that leaves hands over what it
/// leads: mails that wait are answered BUSY then, and whoever leads their partition begins them again. figures() from any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "server/config.h"
#include "server/services/mail_sender.h"

namespace holdfast {

class MailDesk {
 public:
  /// `base_url`: of the users' pages. Errors name the key.
  static Result<std::unique_ptr<MailDesk>> start(const Config& config, const std::filesystem::path& data,
                                                 const std::string& base_url);

  services::MailSender& sender() { return sender_; }
  mail::MailerFigures figures() const { return mailer_->figures(); }
  /// Where mails go, for people: a relay, or a folder.
  const std::string& goes_to() const { return goes_to_; }
  void stop() { mailer_->stop(); }

 private:
  MailDesk(const Config& config, const std::string& base_url, mail::Templates templates,
           std::unique_ptr<mail::Mailer> mailer, std::string goes_to);

  const mail::Templates templates_;
  const std::unique_ptr<mail::Mailer> mailer_;
  services::MailSender sender_;
  const std::string goes_to_;
};

}  // namespace holdfast
