#include "server/lmtp/answer_mail.h"

#include "server/lmtp/answer_text.h"
#include "server/lmtp/incoming_mail.h"

namespace holdfast::lmtp {
namespace {

/// RFC 3463: 5.6.0 is trouble with the content, 5.6.1 a kind of it that is not supported.
Reply refusal_of(const Error& error) {
  return {554, error.code == Errc::unsupported ? "5.6.1" : "5.6.0", "this can't be posted: " + error.message};
}

}  // namespace

std::variant<Answer, Reply> read_answer(std::string_view mail, const AutoMailRules& rules, const MimeBounds& bounds) {
  // The header first: a bounce is refused as one, also if it is broken otherwise.
  const auto split = split_header(mail, bounds.header);
  if (!split) return refusal_of(split.error());
  if (auto refused = refuse_automatic(split.value().header, rules)) return std::move(*refused);
  auto parsed = parse_mail(mail, bounds);
  if (!parsed) return refusal_of(parsed.error());
  std::string text = answer_of(parsed->text);
  if (text.empty())
    return Reply{554, "5.6.0", "this can't be posted: nothing is in it but what it quotes, or a signature"};
  return Answer{std::move(parsed->message_id), std::move(text)};
}

}  // namespace holdfast::lmtp
