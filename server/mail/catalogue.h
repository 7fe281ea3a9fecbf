/// Which mails there are, and what each is filled with: the one truth that the templates, their README, the preview and
/// whoever sends a mail go by.
#pragma once

#include <string>
#include <vector>

#include "server/mail/template.h"

namespace holdfast::mail {

struct Placeholder {
  std::string name;
  std::string what;
  std::string sample;
};

struct PlaceholderList {
  std::string name;
  std::string what;
  std::vector<Placeholder> of_an_entry;
};

struct MailKind {
  std::string name;  ///< of its files
  std::string what;  ///< when it is sent, to whom
  std::vector<Placeholder> required, optional;
  std::vector<PlaceholderList> lists;  ///< may be empty or absent
};

/// In the order of the documentation.
const std::vector<MailKind>& mail_kinds();
/// Null if there is none.
const MailKind* find_mail_kind(const std::string& name);

/// The sample of every placeholder, optional ones too, and two entries in each list.
Values sample_values(const MailKind& kind);

/// templates/README.md, whole.
std::string templates_readme();

}  // namespace holdfast::mail
