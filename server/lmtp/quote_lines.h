/// The lines by which mail programs announce what they repeat, in the languages that they speak.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// A line as it is compared: blanks of all kinds are one " ", none at the ends, without zero-width signs and the
/// asterisks of bold text, ASCII in lower case. At most its first 1,000 bytes: the lines that we look for are short.
std::string comparable(std::string_view line);

// All of these take lines as comparable() gives them.

/// Begins like "on …, ada wrote:"; what follows may stand in the next lines.
bool may_begin_attribution(std::string_view line);
/// "on mon, nov 29, 2026 at 9:30 am ada <ada@example.org> wrote:": whole, with a date or an address in it, so that
/// "On Monday he wrote:" is somebody's text.
bool is_attribution(std::string_view line);

/// "-----original message-----", "---------- forwarded message ---------".
bool is_original_message(std::string_view line);

/// Outlook's block: "from: …" and then, among the next lines, two or more of date, recipient and subject in the same
/// language. `lines` begins with the first.
bool is_header_block(std::span<const std::string> lines);

/// "sent from my iphone", "gesendet von …": what a program adds below the text. One has to be named.
bool is_program_signature(std::string_view line);

/// Our own marker line (server/lmtp/answer_text.h).
bool is_marker(std::string_view line);

}  // namespace holdfast::lmtp
