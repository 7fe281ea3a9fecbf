/// All mails in all languages: the ones compiled in, and in place of single files those of a folder.
///
/// Loaded and checked once, at the start: a mistake in a template is known before a mail is. Immutable; any thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/mail/template.h"

namespace holdfast::mail {

struct Rendered {
  std::string subject, text, html;
};

class Templates {
 public:
  /// `directory` empty: only what is compiled in. invalid_argument names file and line; not_found: no such directory.
  static Result<Templates> load(const std::filesystem::path& directory = {});

  /// `language`: a tag like "de-AT"; what is not there is taken from "de", then from "en". "" is "en".
  /// not_found: there is no such template.
  Result<Rendered> render(const std::string& name, const std::string& language, const Values& values) const;

  /// Those with files of their own, sorted.
  const std::vector<std::string>& languages() const { return languages_; }

 private:
  struct Parts {
    Template subject, text, html;
  };

  std::vector<std::string> languages_;
  std::map<std::string, std::map<std::string, Parts>> mails_;  ///< by language, by name; every name in every language
};

/// "de-AT" -> {"de-at", "de", "en"}: where to look, in this order.
std::vector<std::string> language_chain(const std::string& language);

}  // namespace holdfast::mail
