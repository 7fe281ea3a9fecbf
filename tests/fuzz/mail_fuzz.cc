// links: server_mail
// Whatever is said in a mail, by a template or by a relay: no header is added, no line is too long, nothing stays unescaped.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/mail/message.h"
#include "server/mail/smtp_dialogue.h"
#include "server/mail/template.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kLineBytesMax = 998;
constexpr const char* kRaw = "<\"'7c1e";
constexpr const char* kHostile = "<\"'7c1e\"'>\r\n";

Headers headers_with(const std::string& free_text) {
  return {.from = *Address::parse("a@x"),
          .from_name = free_text,
          .to = *Address::parse("b@x"),
          .subject = free_text,
          .id = message_id_of("id", "x"),
          .date = from_ms(0),
          .reply_to = std::nullopt,
          .references = {},
          .unsubscribe_url = {}};
}

/// Fields of the header, which ends at the first empty line; all lines are short and ASCII.
std::size_t fields_of(std::string_view text) {
  std::size_t fields = 0;
  bool in_header = true;
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    HF_CHECK(end != std::string_view::npos && end <= kLineBytesMax, "lines end with CRLF, within the RFC's bound");
    const auto line = text.substr(0, end);
    for (const char c : line) HF_CHECK(c == '\t' || (c >= ' ' && c <= '~'), "a mail is printable ASCII");
    in_header = in_header && !line.empty();
    if (in_header && !line.starts_with(' ')) ++fields;
    text.remove_prefix(end + 2);
  }
  return fields;
}

void compose_with(const std::string& bytes) {
  static const std::size_t expected = fields_of(compose(headers_with("x"), {"x", "x"})->text);
  const auto mail = compose(headers_with(bytes), {bytes, bytes + "x"});
  HF_CHECK(bool(mail), "free text is never refused");
  HF_CHECK(fields_of(mail->text) == expected, "free text adds no header");
}

void parse_addresses(const std::string& bytes) {
  if (const auto address = Address::parse(bytes))
    HF_CHECK(address->str().find_first_of("\r\n <>,;:\"") == std::string::npos, "an address can stand in a header");
  if (const auto id = MessageId::parse(bytes))
    HF_CHECK(id->str().find_first_of("\r\n \"") == std::string::npos, "a Message-ID can stand in a header");
}

void fill_template(const std::string& bytes) {
  if (bytes.find("7c1e") != std::string::npos) return;  // the template's own words are as they are
  const Template::FindPart no_part = [](const std::string&) -> Result<TemplateSource> {
    return Error{Errc::not_found, "there is none"};
  };
  const Values values{{{"a", kHostile}, {"b", "https://x/"}}, {{"c", {{{"a", kHostile}}, {}}}}};
  for (const Form form : {Form::header, Form::text, Form::html}) {
    const auto parsed = Template::parse({"x", bytes}, form, no_part);
    if (!parsed) continue;
    (void)parsed->check(values);
    const auto out = parsed->render(values);
    if (out && form == Form::html) HF_CHECK(out->find(kRaw) == std::string::npos, "a value in HTML is escaped");
  }
}

void listen_to_relay(std::string_view bytes) {
  SmtpDialogue dialogue;
  dialogue.said("MAIL FROM:<a@x>");
  dialogue.said("RCPT TO:<b@x>");
  while (!bytes.empty()) {
    const auto line = bytes.substr(0, bytes.find('\n'));
    dialogue.heard(line);
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 1));
  }
  const Sent sent = dialogue.verdict("trouble", "b@x");
  HF_CHECK(sent.outcome != Outcome::sent, "a failure is none that was sent");
  HF_CHECK(sent.text.size() <= 200 && sent.text.find('@') == std::string::npos, "a kept text names no address");
}

}  // namespace
}  // namespace holdfast::mail

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  holdfast::mail::compose_with(bytes);
  holdfast::mail::parse_addresses(bytes);
  holdfast::mail::fill_template(bytes);
  holdfast::mail::listen_to_relay(bytes);
  return 0;
}
