// links: server_lmtp
// Whatever comes as a mail is refused with words, or gives text that may be posted: whole UTF-8, no control characters,
// an id of one line. And the same each time.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "server/lmtp/answer_mail.h"
#include "server/lmtp/charset.h"
#include "server/lmtp/incoming_mail.h"

namespace holdfast::lmtp {
namespace {

bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t') || c == 127; }

void check_mail(const IncomingMail& mail, std::string_view bytes) {
  HF_CHECK(repair_utf8(mail.text) == mail.text, "the text is UTF-8");
  HF_CHECK(std::none_of(mail.text.begin(), mail.text.end(), is_control), "no control characters get through");
  // HTML grows where "<br>" stands in ten quotes, charsets by three bytes for one.
  HF_CHECK(mail.text.size() <= 16 * bytes.size() + 64, "the text is not much longer than the mail");
  HF_CHECK(mail.message_id.size() > 2 && mail.message_id.size() <= 250, "the id has a bound");
  HF_CHECK(mail.message_id.find_first_of(" \r\n\t") == std::string::npos, "the id is one word");
  HF_CHECK(repair_utf8(mail.subject) == mail.subject, "the subject is UTF-8");
  HF_CHECK(mail.subject.find('\n') == std::string::npos, "the subject is one line");
}

void read(std::string_view bytes) {
  const auto mail = parse_mail(bytes);
  if (mail) {
    check_mail(mail.value(), bytes);
    HF_CHECK(parse_mail(bytes).value().message_id == mail.value().message_id, "a mail has one id");
  } else {
    HF_CHECK(!mail.error().message.empty(), "a refusal says why");
  }
  const auto answer = read_answer(bytes, {}, {});
  if (const auto* refusal = std::get_if<Reply>(&answer)) {
    HF_CHECK(refusal->code >= 550 && refusal->enhanced.starts_with("5."), "what is no answer is refused for good");
  } else {
    HF_CHECK(mail && !std::get<Answer>(answer).text.empty(), "an answer comes from a mail, and isn't empty");
  }
}

}  // namespace
}  // namespace holdfast::lmtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::lmtp::read({reinterpret_cast<const char*>(data), size});
  return 0;
}
