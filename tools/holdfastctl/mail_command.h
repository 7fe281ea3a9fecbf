/// `holdfastctl mail`: what mails look like. Needs no server.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written after `mail`.
struct MailCommand {
  CLI::App* preview = nullptr;
  CLI::App* templates = nullptr;
  std::string name, language, folder, html, eml;
  bool readme = false;
};

/// Adds `mail preview` and `mail templates` to `app`; both outlive the parse.
void add_mail(CLI::App& app, MailCommand& command);

/// Carries it out, if that is what was asked for, and says how to exit.
std::optional<int> run_mail(const MailCommand& command);

}  // namespace holdfast::ctl
