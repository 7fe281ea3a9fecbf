/// A mail as its reader would get it, filled with samples. Needs no server.
#pragma once

#include <string>

#include "base/result.h"
#include "server/mail/templates.h"

namespace holdfast::ctl {

struct PreviewedMail {
  mail::Rendered rendered;
  std::string eml;  ///< the same as a mail, for a mail program
};

/// `templates`: a folder, or empty. not_found: no such template, or no such folder.
Result<PreviewedMail> preview_mail(const std::string& name, const std::string& language, const std::string& templates);

/// Every mail with when it is sent, as a table; then the languages.
Result<std::string> list_mails(const std::string& templates);

}  // namespace holdfast::ctl
