#include "server/lmtp/quote_lines.h"

#include <algorithm>
#include <array>

#include "server/lmtp/answer_text.h"
#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

constexpr std::size_t kComparedBytesMax = 1'000;
constexpr std::size_t kHeaderBlockLines = 8;

struct Attribution {
  std::string_view begins;
  std::string_view contains;  ///< the verb
};

// The verb ends the line, or a name and address follow it.
constexpr std::array<Attribution, 20> kAttributions = {{
    {"on ", " wrote:"},     {"am ", " schrieb "}, {"am ", " schrieb:"},    {"on ", " schrieb "},
    {"le ", " a écrit :"},  {"le ", " a écrit:"}, {"el ", " escribió:"},   {"il ", " ha scritto:"},
    {"em ", " escreveu:"},  {"op ", " schreef "}, {"op ", " schreef:"},    {"den ", " skrev "},
    {"den ", " skrev:"},    {"på ", " skrev "},   {"dnia ", " napisał"},   {"w dniu ", " napisał"},
    {"w dniu ", " pisze:"}, {"dne ", " napsal"},  {"ti. ", " kirjoitti:"}, {"в ", " пишет:"},
}};

// Without a word at the beginning: "2026-11-29 9:30 GMT+01:00 Ada <ada@example.org>:" as Gmail once wrote, and
// "Ada <ada@example.org> schrieb am So., 29. Nov. 2026, 09:30:" as it writes in German.
constexpr std::array<std::string_view, 9> kAttributionVerbs = {" napisał(a):", " schrieb am ",  " wrote on ",
                                                               " writes:",     " escribió el ", " ha scritto il ",
                                                               " a écrit le ", " schreef op ",  " skrev den "};

constexpr std::array<std::string_view, 20> kOriginals = {
    "original message",      "ursprüngliche nachricht",   "originalnachricht",    "original-nachricht",
    "forwarded message",     "weitergeleitete nachricht", "message d'origine",    "message transféré",
    "mensaje original",      "mensaje reenviado",         "messaggio originale",  "messaggio inoltrato",
    "mensagem original",     "oorspronkelijk bericht",    "doorgestuurd bericht", "ursprungligt meddelande",
    "oprindelig meddelelse", "wiadomość oryginalna",      "original appointment", "reply message"};

/// The names of a header's fields in one language.
struct HeaderNames {
  std::string_view from;
  std::array<std::string_view, 5> others;  ///< empty: no further one
};

constexpr std::array<HeaderNames, 9> kHeaderNames = {{
    {"from:", {"sent:", "date:", "to:", "subject:", "cc:"}},
    {"von:", {"gesendet:", "datum:", "an:", "betreff:", "cc:"}},
    {"de :", {"envoyé :", "date :", "à :", "objet :", "cc :"}},
    {"de:", {"envoyé:", "date:", "à:", "objet:", "cc:"}},
    {"de:", {"enviado:", "fecha:", "para:", "asunto:", "cc:"}},
    {"de:", {"enviada:", "data:", "para:", "assunto:", "enviado:"}},
    {"da:", {"inviato:", "data:", "a:", "oggetto:", "cc:"}},
    {"van:", {"verzonden:", "datum:", "aan:", "onderwerp:", "cc:"}},
    {"från:", {"skickat:", "datum:", "till:", "ämne:", "cc:"}},
}};

constexpr std::array<std::string_view, 17> kProgramSignatures = {"sent from ",
                                                                 "sent via ",
                                                                 "sent with ",
                                                                 "get outlook for",
                                                                 "von mein",
                                                                 "von outlook",
                                                                 "gesendet von",
                                                                 "gesendet mit",
                                                                 "diese nachricht wurde ",
                                                                 "outlook für ",
                                                                 "holen sie sich outlook",
                                                                 "envoyé d",
                                                                 "enviado desde",
                                                                 "inviato da",
                                                                 "verstuurd vanaf",
                                                                 "skickat från",
                                                                 "wysłane z"};

// One of these has to be named, too: "Sent from my office yesterday" is an answer.
constexpr std::array<std::string_view, 36> kPrograms = {
    "iphone",     "ipad",   "ipod",   "apple watch", "phone",    "smartphone", "android",  "galaxy",   "samsung",
    "huawei",     "xiaomi", "pixel",  "blackberry",  "nokia",    "oneplus",    "xperia",   "tablet",   "handy",
    "gerät",      "device", "mobile", "outlook",     "windows",  "yahoo",      "proton",   "k-9",      "thunderbird",
    "superhuman", "gmx",    "web.de", "mail app",    "mail-app", "fairemail",  "aquamail", "bluemail", "gmail"};

constexpr std::size_t kProgramSignatureBytesMax = 100;

/// What is a blank to a reader, and takes no part where it has no width: U+00A0, U+2000 to U+200A, U+202F; U+200B to
/// U+200F, U+2060, U+FEFF. The length of the sign that `text` begins with; 0: it is neither.
struct Blank {
  std::size_t length;
  bool visible;
};
Blank blank_at(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text[0] == ' ' || text[0] == '\t') return {1, true};
  if (text.starts_with("\xc2\xa0")) return {2, true};
  if (text.starts_with("\xe2\x80\xaf")) return {3, true};
  if (text.starts_with("\xe2\x81\xa0") || text.starts_with("\xef\xbb\xbf")) return {3, false};
  if (!text.starts_with("\xe2\x80") || text.size() < 3) return {0, false};
  if (at(2) <= 0x8a) return {3, true};
  if (at(2) <= 0x8f) return {3, false};
  return {0, false};
}

bool has_year(std::string_view line) {
  for (std::size_t i = 0; i + 4 <= line.size(); ++i) {
    const bool century = line.substr(i, 2) == "19" || line.substr(i, 2) == "20";
    if (century && is_digit(line[i + 2]) && is_digit(line[i + 3])) return true;
  }
  return false;
}

/// "9:30" or "09.30".
bool has_time(std::string_view line) {
  for (std::size_t i = 1; i + 2 < line.size(); ++i) {
    if (line[i] == ':' && is_digit(line[i - 1]) && is_digit(line[i + 1]) && is_digit(line[i + 2])) return true;
  }
  return false;
}

bool names_date_or_address(std::string_view line) {
  return line.find('@') != std::string_view::npos || has_year(line) || has_time(line);
}

std::size_t dashes_at(std::string_view line, bool front) {
  const auto found = front ? line.find_first_not_of('-') : line.find_last_not_of('-');
  if (found == std::string_view::npos) return line.size();
  return front ? found : line.size() - found - 1;
}

bool has_name(std::span<const std::string> lines, std::string_view name) {
  return !name.empty() &&
         std::any_of(lines.begin(), lines.end(), [name](const std::string& line) { return line.starts_with(name); });
}

}  // namespace

std::string comparable(std::string_view line) {
  line = line.substr(0, kComparedBytesMax);
  std::string out;
  bool blank = false;
  while (!line.empty()) {
    const auto [length, visible] = blank_at(line);
    if (length > 0) {
      blank = blank || visible;
      line.remove_prefix(length);
      continue;
    }
    if (line[0] != '*') {
      if (blank && !out.empty()) out += ' ';
      blank = false;
      out += lower(line[0]);
    }
    line.remove_prefix(1);
  }
  return out;
}

bool may_begin_attribution(std::string_view line) {
  const bool by_word = std::any_of(kAttributions.begin(), kAttributions.end(),
                                   [line](const Attribution& one) { return line.starts_with(one.begins); });
  return by_word || line.find('@') != std::string_view::npos || has_year(line);
}

bool is_attribution(std::string_view line) {
  const auto* by_word = std::find_if(kAttributions.begin(), kAttributions.end(), [line](const Attribution& one) {
    return line.starts_with(one.begins) && line.find(one.contains) != std::string_view::npos;
  });
  if (by_word != kAttributions.end() && by_word->contains.ends_with(':')) {
    // Yahoo goes on behind the colon. With an address before it, it is still no sentence of somebody's.
    const auto own = line.substr(0, line.find(by_word->contains) + by_word->contains.size());
    if (own.size() < line.size() && own.find('@') != std::string_view::npos) return true;
  }
  if (!line.ends_with(':') || !names_date_or_address(line)) return false;
  if (by_word != kAttributions.end()) return true;
  const bool by_verb = std::any_of(kAttributionVerbs.begin(), kAttributionVerbs.end(),
                                   [line](std::string_view verb) { return line.find(verb) != std::string_view::npos; });
  return by_verb || (line.ends_with(">:") && line.find('@') != std::string_view::npos && has_year(line.substr(0, 12)));
}

bool is_original_message(std::string_view line) {
  const auto front = dashes_at(line, true);
  if (front < 3 || front == line.size() || dashes_at(line, false) < 3) return false;
  const auto inner = trim(line.substr(front, line.size() - front - dashes_at(line, false)));
  return std::find(kOriginals.begin(), kOriginals.end(), inner) != kOriginals.end();
}

bool is_header_block(std::span<const std::string> lines) {
  const auto next = lines.subspan(1, std::min(kHeaderBlockLines, lines.size()) - 1);
  return std::any_of(kHeaderNames.begin(), kHeaderNames.end(), [&](const HeaderNames& names) {
    if (!lines.front().starts_with(names.from)) return false;
    return std::count_if(names.others.begin(), names.others.end(),
                         [next](std::string_view name) { return has_name(next, name); }) >= 2;
  });
}

bool is_program_signature(std::string_view line) {
  if (line.size() > kProgramSignatureBytesMax) return false;
  const auto begins = [line](std::string_view beginning) { return line.starts_with(beginning); };
  const auto names = [line](std::string_view program) { return line.find(program) != std::string_view::npos; };
  return std::any_of(kProgramSignatures.begin(), kProgramSignatures.end(), begins) &&
         std::any_of(kPrograms.begin(), kPrograms.end(), names);
}

bool is_marker(std::string_view line) { return line == kReplyMarker; }

}  // namespace holdfast::lmtp
