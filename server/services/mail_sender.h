/// Carries mails out: an intent becomes a text, and the text goes to the mailer.
///
/// What a mail says is put together at the moment of sending, when the mailer has room for it, on whichever node leads the user's partition: the values
/// that were decided with it, the link with its secret, and what a service adds (Addition: what was missed, say). The
/// same intent gives the same Message-ID on every node, so that a repetition can be told.
///
/// Owned by whoever puts the node together; outlives the workers; stopped before them. Thread: begin() on a worker's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "server/mail/mailer.h"
#include "server/mail/message.h"
#include "server/mail/templates.h"
#include "server/services/outside.h"

namespace holdfast::services {

/// What a service adds at the moment of sending.
struct Addition {
  bool unwanted = false;      ///< there is nothing left to say
  bool later = false;         ///< a partition that was asked has no answer now
  std::string template_name;  ///< another than the intent's; empty: that one
  mail::Values values;
  std::string reply_to_local;   ///< local part at the mail domain; empty: no answers
  std::string unsubscribe_url;  ///< empty: none
};
/// Of one template: runs on the worker's thread.
using Assemble = std::function<Task<Addition>(chat::Backend& backend, chat::BeginIntent intent)>;

struct MailSenderOptions {
  std::string base_url;      ///< of the users' pages, without a slash at its end
  std::string from;          ///< an address, which passed mail::Address::parse
  std::string from_name;     ///< what users know the service as
  std::string language;      ///< for users who have not chosen one
  std::string domain;        ///< of Message-IDs and of addresses for answers
  std::string reply_domain;  ///< of addresses for answers; empty: there are none
};

class MailSender final : public Outside {
 public:
  /// `templates` and `mailer` outlive it.
  MailSender(MailSenderOptions options, const mail::Templates& templates, mail::Mailer& mailer);
  /// Before the workers run.
  void add(const std::string& template_name, Assemble assemble) { assemblies_[template_name] = std::move(assemble); }

  void begin(chat::Backend& backend, chat::BeginIntent intent, IsOurs is_ours,
             std::function<void(command::IntentDone)> then) override;

 private:
  void send(const chat::MailKey& key, const chat::BeginIntent& intent, const Addition& addition, const IsOurs& is_ours,
            const std::function<void(command::IntentDone)>& then);
  Result<mail::Mail> compose(const chat::MailKey& key, const chat::BeginIntent& intent, const Addition& addition) const;

  const MailSenderOptions options_;
  const mail::Templates& templates_;
  mail::Mailer& mailer_;
  std::map<std::string, Assemble> assemblies_;
};

}  // namespace holdfast::services
