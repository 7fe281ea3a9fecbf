#include "tools/holdfast-chaos/mail_reading.h"

#include <charconv>

#include "server/lmtp/incoming_mail.h"
#include "tools/holdfast-load/body.h"

namespace holdfast::chaos {
namespace {

constexpr std::string_view kMoreBegins = "And ", kMoreEnds = " more, in the chat.";

std::string_view trimmed(std::string_view line) {
  const auto from = line.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return line.substr(from, line.find_last_not_of(' ') - from + 1);
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

void take_line(std::string_view line, MailText& mail) {
  if (line.starts_with(kMoreBegins) && line.ends_with(kMoreEnds))
    mail.more = number_in(line.substr(kMoreBegins.size())).value_or(0);
  const auto talk = number_in(line);
  if (!talk) return;
  if (const auto letter = load::read_body(line, static_cast<std::uint32_t>(*talk), kLetterBytes))
    mail.letters.push_back(*letter);
}

}  // namespace

Result<MailText> read_mail_text(std::string_view mail) {
  auto parsed = lmtp::parse_mail(mail);
  if (!parsed) return parsed.error();
  if (!parsed->header.has("message-id")) return Error{Errc::invalid_argument, "there is no Message-ID"};
  MailText text;
  text.id = parsed->message_id;
  text.address = std::string(parsed->header.first("to"));
  if (text.address.starts_with('<') && text.address.ends_with('>'))
    text.address = text.address.substr(1, text.address.size() - 2);
  for (std::string_view rest = parsed->text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    take_line(trimmed(rest.substr(0, end)), text);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return text;
}

}  // namespace holdfast::chaos
