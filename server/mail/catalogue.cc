#include "server/mail/catalogue.h"

namespace holdfast::mail {
namespace {

Placeholder service() { return {"service", "what users know the service as (mail.from_name)", "Holdfast"}; }
Placeholder base_url() {
  return {"base_url", "where the users' pages are, without a slash at the end", "https://chat.example.org"};
}
Placeholder user() { return {"user", "the user's name", "anna"}; }
Placeholder when(const char* what) {
  return {"when", std::string(what) + ", as a time in UTC", "2026-11-29 09:35 UTC"};
}
Placeholder link(const char* what, const char* page) {
  return {"link", what, "https://chat.example.org/" + std::string(page) + "?t=Zm9yIHRoZSBwcmV2aWV3IG9ubHk"};
}
Placeholder minutes() { return {"minutes", "for how many minutes the link works", "30"}; }
Placeholder hours() { return {"hours", "for how many hours the link works", "24"}; }
Placeholder conversation() { return {"conversation", "the conversation's title, or who it is with", "Summer party"}; }
Placeholder count() { return {"count", "how many messages were missed in it", "14"}; }
Placeholder unsubscribe() {
  return {"unsubscribe_url", "where these mails are switched off", "https://chat.example.org/unsubscribe?t=cHJldmlldw"};
}

std::vector<Placeholder> with_common(std::vector<Placeholder> more) {
  std::vector<Placeholder> all{service(), base_url(), user()};
  for (Placeholder& one : more) all.push_back(std::move(one));
  return all;
}

std::vector<MailKind> account_mails() {
  return {
      {"verify_address",
       "to a new address: is it yours?",
       with_common({link("the page that verifies the address, works once", "verify"), hours()}),
       {},
       {}},
      {"address_changed",
       "to the address that was the user's until now",
       with_common({when("when it was changed")}),
       {},
       {}},
      {"password_reset",
       "a new password was asked for",
       with_common({link("the page that takes a new password, works once", "reset"), minutes()}),
       {},
       {}},
      {"password_changed",
       "the password was changed, and all sessions have ended",
       with_common({when("when that was")}),
       {},
       {}},
      {"login_locked",
       "too many wrong passwords; log-in with the password is locked for a while",
       with_common({{"lock_minutes", "for how many minutes", "15"},
                    link("the page that takes a new password, works once", "reset"),
                    minutes()}),
       {},
       {}},
      {"session_stolen",
       "a session was used by two, so it was ended",
       with_common({when("when that was")}),
       {{"device", "the device whose session it was", "Anna's phone"}},
       {}},
      {"recovery_used", "an operator's one-time code set a new password", with_common({when("when that was")}), {}, {}},
      {"incident_reset",
       "the operators ask for a new password",
       with_common({{"reason", "the operators' words", "A list of passwords has become known elsewhere."},
                    link("the page that takes a new password, works once", "reset"),
                    hours()}),
       {},
       {}},
  };
}

std::vector<MailKind> chat_mails() {
  return {
      {"missed_content",
       "messages that reached none of the user's devices, in order",
       with_common({conversation(), count()}),
       {unsubscribe(),
        {"more", "how many messages there are beyond those shown", "12"},
        {"can_answer", "anything but empty: the mail has a Reply-To that takes an answer", "yes"}},
       {{"messages",
         "those shown, oldest first",
         {{"author", "who wrote it", "Ben"},
          {"when", "when, as a time in UTC", "2026-11-29 09:20 UTC"},
          {"text", "what", "Shall we meet at six?\nI bring <cake> & coffee."}}}}},
      {"missed_notice",
       "the same for who wants no content in mails",
       with_common({conversation(), count()}),
       {unsubscribe()},
       {}},
      {"incident",
       "an incident keeps the user from chat",
       with_common({{"text", "the operators' words", "One of our data centres has lost its power."}}),
       {unsubscribe()},
       {}},
  };
}

std::vector<MailKind> make_kinds() {
  std::vector<MailKind> all = account_mails();
  for (MailKind& one : chat_mails()) all.push_back(std::move(one));
  return all;
}

void add_rows(const std::vector<Placeholder>& placeholders, const char* kind, std::string& out) {
  for (const Placeholder& one : placeholders) out += "| `{{" + one.name + "}}` | " + kind + " | " + one.what + " |\n";
}

}  // namespace

const std::vector<MailKind>& mail_kinds() {
  static const std::vector<MailKind> kinds = make_kinds();
  return kinds;
}

const MailKind* find_mail_kind(const std::string& name) {
  for (const MailKind& kind : mail_kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

Values sample_values(const MailKind& kind) {
  Values values;
  for (const auto* some : {&kind.required, &kind.optional})
    for (const Placeholder& one : *some) values.single[one.name] = one.sample;
  for (const PlaceholderList& list : kind.lists) {
    SingleValues entry;
    for (const Placeholder& one : list.of_an_entry) entry[one.name] = one.sample;
    values.lists[list.name] = {entry, entry};
  }
  return values;
}

std::string templates_readme() {
  std::string out =
      "# Mail templates\n\n"
      "<!-- Made by `holdfastctl mail templates --readme`; a test compares. -->\n\n"
      "A mail is three files in a language's folder: `NAME.subject`, `NAME.txt` and `NAME.html`. These are compiled "
      "into\n"
      "the server; `mail.templates` names a folder of yours that is laid out alike, and each file in it replaces the "
      "one\n"
      "of that name. A language that lacks a file takes it from the language without its region (`de-AT`: `de`), then "
      "from\n"
      "`en`. `holdfastctl mail preview NAME --language L --templates FOLDER --html FILE` shows the result.\n\n"
      "`{{name}}` is filled in and escaped for where it stands, `{{#name}} … {{/name}}` is there once for each entry "
      "of a\n"
      "list, or once if an optional value is given, and `{{> begin}}` puts in the file `begin.html` (`begin.txt`). A\n"
      "placeholder that is not listed here ends the start with the file's name and line.\n";
  for (const MailKind& kind : mail_kinds()) {
    out += "\n## " + kind.name + "\n\n" + kind.what + "\n\n| placeholder | | what |\n| --- | --- | --- |\n";
    add_rows(kind.required, "always", out);
    add_rows(kind.optional, "optional", out);
    for (const PlaceholderList& list : kind.lists) {
      out += "| `{{#" + list.name + "}}` | list | " + list.what + " |\n";
      add_rows(list.of_an_entry, ("in " + list.name).c_str(), out);
    }
  }
  return out;
}

}  // namespace holdfast::mail
