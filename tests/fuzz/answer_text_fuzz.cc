// links: server_lmtp
// An answer is made of lines of the text, in their order, and of nothing else; it has no quoted line and no blank ends.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/lmtp/answer_text.h"
#include "server/lmtp/ascii.h"
#include "server/lmtp/quote_lines.h"

namespace holdfast::lmtp {
namespace {

/// Takes lines off `text` until one that is `line` but for blanks at its end. False: there is none.
bool skip_to(std::string_view& text, std::string_view line) {
  while (const auto next = take_line(text)) {
    if (next->substr(0, next->find_last_not_of(kBlanks) + 1) == line) return true;
  }
  return false;
}

void check(std::string_view text) {
  const std::string answer = answer_of(text);
  HF_CHECK(answer_of(text) == answer, "the same text has the same answer");
  HF_CHECK(answer.size() <= text.size() + 1, "nothing is added");
  HF_CHECK(answer.empty() || !comparable(answer).empty() || answer.size() > 1'000, "an answer isn't blank");
  std::string_view rest = answer, source = text;
  while (const auto line = take_line(rest)) {
    if (line->empty()) continue;  // blank lines may stand for quotes
    HF_CHECK(skip_to(source, *line), "every line is one of the text, in its order");
    HF_CHECK(!comparable(*line).starts_with('>'), "no line is a quoted one");
  }
}

}  // namespace
}  // namespace holdfast::lmtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::erase(text, '\r');  // lines end with LF: incoming_mail.h says so
  holdfast::lmtp::check(text);
  return 0;
}
