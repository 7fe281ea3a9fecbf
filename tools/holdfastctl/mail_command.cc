#include "tools/holdfastctl/mail_command.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "server/mail/catalogue.h"
#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/mail_preview.h"
#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {
namespace {

Status write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return Error{Errc::io, path + " can't be written"};
  std::cout << path << "\n";
  return Ok{};
}

/// Files if any are named, otherwise what a reader without HTML would see.
int preview(const MailCommand& command) {
  const auto mail = preview_mail(command.name, command.language, command.folder);
  if (!mail) return failed(mail.error());
  if (command.html.empty() && command.eml.empty())
    std::cout << "Subject: " << mail->rendered.subject << "\n\n" << mail->rendered.text;
  if (!command.html.empty())
    if (const Status written = write(command.html, mail->rendered.html); !written) return failed(written.error());
  if (!command.eml.empty())
    if (const Status written = write(command.eml, mail->eml); !written) return failed(written.error());
  return kExitOk;
}

int templates(const MailCommand& command) {
  if (command.readme) {
    std::cout << mail::templates_readme();
    return kExitOk;
  }
  const auto list = list_mails(command.folder);
  if (!list) return failed(list.error());
  std::cout << *list;
  return kExitOk;
}

}  // namespace

void add_mail(CLI::App& app, MailCommand& command) {
  auto* mail = app.add_subcommand("mail", "what mails look like")->require_subcommand(1);
  command.preview = mail->add_subcommand("preview", "a mail filled with samples: its text, or as files");
  command.preview->add_option("TEMPLATE", command.name, "which one; `mail templates` lists them")->required();
  command.preview->add_option("-l,--language", command.language, "a tag like de or en-US [en]");
  command.preview->add_option("--html", command.html, "write its HTML to this file, for a browser");
  command.preview->add_option("--eml", command.eml, "write the mail to this file, for a mail program");
  command.templates = mail->add_subcommand("templates", "which mails there are, and in which languages");
  command.templates->add_flag("--readme", command.readme, "print server/mail/templates/README.md: every placeholder");
  for (auto* one : {command.preview, command.templates})
    one->add_option("--templates", command.folder, "a folder whose files replace those built in (mail.templates)");
}

std::optional<int> run_mail(const MailCommand& command) {
  if (command.preview->parsed()) return preview(command);
  if (command.templates->parsed()) return templates(command);
  return std::nullopt;
}

}  // namespace holdfast::ctl
