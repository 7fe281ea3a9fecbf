#include "server/chat/common_passwords.h"

#include <algorithm>
#include <array>
#include <set>

namespace holdfast::chat {
namespace {

constexpr std::size_t kLongEnough = 16;  ///< bytes: a word with so much around it is not guessed first
constexpr std::array<std::string_view, 8> kRuns = {"01234567890123456789",          "abcdefghijklmnopqrstuvwxyz",
                                                   "qwertyuiop[]asdfghjkl;zxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
                                                   "azertyuiopqsdfghjklmwxcvbn",    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
                                                   "q1w2e3r4t5y6u7i8o9p0",          "1q2w3e4r5t6y7u8i9o0p"};

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Digits and signs that stand for letters.
std::string unmasked(std::string text) {
  constexpr std::string_view kFrom = "0134578@$!", kTo = "oieastbasi";
  for (char& c : text)
    if (const auto at = kFrom.find(c); at != std::string_view::npos) c = kTo[at];
  return text;
}

/// Without what is no letter at either end.
std::string_view core_of(std::string_view text) {
  while (!text.empty() && !is_letter(text.back())) text.remove_suffix(1);
  while (!text.empty() && !is_letter(text.front())) text.remove_prefix(1);
  return text;
}

bool is_word_or_two(std::string_view text) {
  if (is_common_word(text)) return true;
  for (std::size_t at = 3; at + 3 <= text.size(); ++at)
    if (is_common_word(text.substr(0, at)) && is_common_word(text.substr(at))) return true;
  return false;
}

bool is_run(std::string_view text) {
  const std::string backward(text.rbegin(), text.rend());
  for (const std::string_view run : kRuns)
    if (run.find(text) != std::string_view::npos || run.find(backward) != std::string_view::npos) return true;
  return false;
}

/// Made of stretches that are runs: "123456qwerty", "abc12345".
bool is_runs(std::string_view text) {
  while (text.size() >= 3) {
    std::size_t length = text.size();
    while (length >= 3 && !is_run(text.substr(0, length))) --length;
    if (length < 3) return false;
    text.remove_prefix(length);
  }
  return text.size() < 3;
}

/// One to four characters again and again.
bool is_repetition(std::string_view text) {
  for (std::size_t period = 1; period <= 4 && period * 2 <= text.size(); ++period) {
    bool same = true;
    for (std::size_t i = period; i < text.size() && same; ++i) same = text[i] == text[i - period];
    if (same) return true;
  }
  return std::set<char>(text.begin(), text.end()).size() < 3;
}

}  // namespace

bool is_common_password(std::string_view password, std::string_view username) {
  const std::string lower = lower_case(password);
  if (is_repetition(lower) || is_runs(lower)) return true;
  if (username.size() >= 3 && lower.size() < username.size() + 8 &&
      lower.find(lower_case(username)) != std::string::npos)
    return true;
  if (password.size() >= kLongEnough) return is_word_or_two(lower);
  const std::string plain = unmasked(lower);
  const std::string plain_core = unmasked(std::string(core_of(lower)));
  const std::array<std::string_view, 4> undisguised = {core_of(lower), plain, core_of(plain), plain_core};
  return is_runs(core_of(lower)) || std::ranges::any_of(undisguised, is_word_or_two);
}

std::optional<v1::Error> refuse_common(std::string_view password, std::string_view username) {
  if (!is_common_password(password, username)) return std::nullopt;
  v1::Error error;
  error.set_code(v1::INVALID_ARGUMENT);
  error.set_message(
      "password: one of the first that anybody would guess; take another, several words that have nothing to do with "
      "each other, say");
  return error;
}

}  // namespace holdfast::chat
