#include "tools/holdfastctl/mail_preview.h"

#include "server/mail/catalogue.h"
#include "server/mail/message.h"
#include "tools/holdfastctl/table.h"

namespace holdfast::ctl {
namespace {

/// Like one that would be sent, but with nobody's addresses and always the same date.
Result<mail::Mail> compose_sample(const std::string& name, const mail::Values& values, const mail::Rendered& rendered) {
  const auto from = mail::Address::parse("chat@example.org"), to = mail::Address::parse("anna@example.org");
  HF_CHECK(from && to, "the samples are addresses");
  const auto unsubscribe = values.single.find("unsubscribe_url");
  return mail::compose({.from = *from,
                        .from_name = values.single.at("service"),
                        .to = *to,
                        .subject = rendered.subject,
                        .id = mail::message_id_of(name, "example.org"),
                        .date = from_ms(1'795'944'900'000),
                        .reply_to = std::nullopt,
                        .references = {},
                        .unsubscribe_url = unsubscribe == values.single.end() ? "" : unsubscribe->second},
                       {rendered.text, rendered.html});
}

}  // namespace

Result<PreviewedMail> preview_mail(const std::string& name, const std::string& language, const std::string& templates) {
  const auto all = mail::Templates::load(templates);
  if (!all) return all.error();
  const auto* kind = mail::find_mail_kind(name);
  const mail::Values values = kind == nullptr ? mail::Values{} : mail::sample_values(*kind);
  auto rendered = all->render(name, language, values);
  if (!rendered) return rendered.error();
  const auto mail = compose_sample(name, values, *rendered);
  if (!mail) return mail.error();
  return PreviewedMail{std::move(*rendered), mail->text};
}

Result<std::string> list_mails(const std::string& templates) {
  const auto all = mail::Templates::load(templates);
  if (!all) return all.error();
  std::vector<Row> rows;
  for (const mail::MailKind& kind : mail::mail_kinds()) rows.push_back({kind.name, kind.what});
  std::string languages;
  for (const std::string& one : all->languages()) languages += (languages.empty() ? "" : ", ") + one;
  return render_table({"template", "what"}, rows, false) + "\nlanguages: " + languages + "\n";
}

}  // namespace holdfast::ctl
