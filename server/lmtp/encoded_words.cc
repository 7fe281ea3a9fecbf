#include "server/lmtp/encoded_words.h"

#include <optional>

#include "server/lmtp/ascii.h"
#include "server/lmtp/charset.h"
#include "server/lmtp/transfer_encoding.h"

namespace holdfast::lmtp {
namespace {

// An encoded word has at most 75 characters (2); some senders don't care, but a search for its end must not go through
// the whole header again and again.
constexpr std::size_t kWordBytesMax = 2'000;

struct Word {
  std::string text;
  std::size_t length;  ///< of what it was decoded from
};

/// RFC 2047, 4.2: an underscore is a blank, and nothing else is special.
std::string decode_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped =
        text[i] == '=' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (escaped) {
      out += static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

/// The encoded word that `value` begins with.
std::optional<Word> take_word(std::string_view value) {
  if (!value.starts_with("=?")) return std::nullopt;
  value = value.substr(0, kWordBytesMax);
  const auto charset_end = value.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= value.size()) return std::nullopt;
  if (value[charset_end + 2] != '?') return std::nullopt;
  const auto text_begin = charset_end + 3;
  const auto end = value.find("?=", text_begin);
  if (end == std::string_view::npos) return std::nullopt;
  const auto text = value.substr(text_begin, end - text_begin);
  if (text.find_first_of(kSpaces) != std::string_view::npos) return std::nullopt;  // then it is none (2)
  auto charset = value.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));  // a language may follow (RFC 2231, 5)
  const char encoding = lower(value[charset_end + 1]);
  if (encoding != 'b' && encoding != 'q') return std::nullopt;
  auto decoded = to_utf8(encoding == 'b' ? decode_base64(text) : decode_q(text), charset);
  if (!decoded) return std::nullopt;
  return Word{std::move(*decoded), end + 2};
}

}  // namespace

std::string decode_words(std::string_view value) {
  std::string out;
  std::string blanks;  // seen behind an encoded word: text only if no other one follows
  bool behind_word = false;
  while (!value.empty()) {
    if (const auto word = take_word(value)) {
      out += word->text;
      value.remove_prefix(word->length);
      blanks.clear();
      behind_word = true;
      continue;
    }
    const bool blank = kBlanks.find(value[0]) != std::string_view::npos;
    if (behind_word && blank) {
      blanks += value[0];
    } else {
      out += blanks;
      out += value[0];
      blanks.clear();
      behind_word = false;
    }
    value.remove_prefix(1);
  }
  out = repair_utf8(out + blanks);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return out;
}

}  // namespace holdfast::lmtp
