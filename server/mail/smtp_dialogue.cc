#include "server/mail/smtp_dialogue.h"

#include <algorithm>
#include <cctype>

#include "server/mail/encoding.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kReplyBytesMax = 2'000;
constexpr std::size_t kTextBytesMax = 200;
constexpr std::size_t kWordBytesMax = 32;  // longer ones are queue ids, tokens and the like
constexpr std::string_view kHidden = "[…]";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The y of an enhanced status "5.y.z"; -1: there is none.
int subject_of(std::string_view text) {
  if (text.size() < 5 || text[0] != '5' || text[1] != '.') return -1;
  const auto dot = text.find('.', 2);
  if (dot == std::string_view::npos || dot == 2 || dot > 5) return -1;
  int subject = 0;
  for (const char c : text.substr(2, dot - 2)) {
    if (!is_digit(c)) return -1;
    subject = subject * 10 + (c - '0');
  }
  return dot + 1 < text.size() && is_digit(text[dot + 1]) ? subject : -1;
}

bool is_about_us(int code, std::string_view text) {
  const int subject = subject_of(text);
  if (subject >= 0) return subject == 5 || subject == 7;
  return code == 500 || code == 502 || code == 503 || code == 504 || code == 521 || code == 530;
}

std::string_view stripped(std::string_view word) {
  const auto is_outer = [](char c) { return std::ispunct(static_cast<unsigned char>(c)) != 0; };
  while (!word.empty() && is_outer(word.front())) word.remove_prefix(1);
  while (!word.empty() && is_outer(word.back())) word.remove_suffix(1);
  return word;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool has_to_go(std::string_view word, std::string_view local) {
  if (word.find_first_of("@<>") != std::string_view::npos || word.find("//") != std::string_view::npos) return true;
  return word.size() > kWordBytesMax || (!local.empty() && same_letters(stripped(word), stripped(local)));
}

}  // namespace

void SmtpDialogue::said(std::string_view command) {
  if (command.starts_with("MAIL FROM:"))
    phase_ = Phase::sender;
  else if (command.starts_with("RCPT TO:"))
    phase_ = Phase::recipient;
  else if (phase_ == Phase::recipient && command.starts_with("DATA"))
    phase_ = Phase::data;
  else if (command.starts_with("QUIT"))
    is_over_ = true;  // what comes now decides nothing
}

void SmtpDialogue::heard(std::string_view line) {
  if (is_over_ || line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, is_digit)) return;
  heard_anything_ = true;
  if (!more_lines_) reply_.clear();
  more_lines_ = line.size() > 3 && line[3] == '-';
  code_ = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  if (line.size() > 4 && reply_.size() < kReplyBytesMax)
    reply_ += (reply_.empty() ? "" : " ") + one_line(line.substr(4));
  if (dot_is_out_ && !more_lines_) dot_is_answered_ = true;
}

bool SmtpDialogue::is_final() const {
  const bool is_too_large = phase_ == Phase::sender && code_ == 552;
  const bool asked = phase_ == Phase::recipient || (phase_ == Phase::data && dot_is_answered_) || is_too_large;
  return asked && code_ / 100 == 5 && !is_about_us(code_, reply_);
}

Sent SmtpDialogue::verdict(std::string_view trouble, std::string_view recipient) const {
  if (code_ / 100 >= 4 && !is_in_doubt())
    return {is_final() ? Outcome::never : Outcome::later, code_, without_addresses(reply_, recipient)};
  return {Outcome::later, 0, without_addresses(trouble, recipient)};
}

Sent SmtpDialogue::success() const { return {Outcome::sent, code_, ""}; }

std::string without_addresses(std::string_view text, std::string_view recipient) {
  const std::string line = one_line(text);
  const auto local = recipient.substr(0, recipient.rfind('@'));
  std::string out;
  for (std::string_view rest = line; !rest.empty();) {
    const auto word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    const std::string_view kept = has_to_go(word, local) ? kHidden : word;
    if (out.size() + 1 + kept.size() > kTextBytesMax) break;
    if (!out.empty()) out += ' ';
    out += kept;
  }
  return out;
}

}  // namespace holdfast::mail
