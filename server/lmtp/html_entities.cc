#include "server/lmtp/html_entities.h"

#include <algorithm>
#include <array>

#include "server/lmtp/ascii.h"
#include "server/lmtp/charset.h"

namespace holdfast::lmtp {
namespace {

struct Entity {
  std::string_view name;
  char32_t character;
};

// What mail programs write: markup, Latin-1's letters, typography. Sorted by name.
constexpr std::array kEntities = std::to_array<Entity>({
    {"AElig", 0xc6},   {"Aacute", 0xc1},   {"Acirc", 0xc2},    {"Agrave", 0xc0},   {"Aring", 0xc5},
    {"Atilde", 0xc3},  {"Auml", 0xc4},     {"Ccedil", 0xc7},   {"ETH", 0xd0},      {"Eacute", 0xc9},
    {"Ecirc", 0xca},   {"Egrave", 0xc8},   {"Euml", 0xcb},     {"Iacute", 0xcd},   {"Icirc", 0xce},
    {"Igrave", 0xcc},  {"Iuml", 0xcf},     {"Ntilde", 0xd1},   {"OElig", 0x152},   {"Oacute", 0xd3},
    {"Ocirc", 0xd4},   {"Ograve", 0xd2},   {"Oslash", 0xd8},   {"Otilde", 0xd5},   {"Ouml", 0xd6},
    {"Scaron", 0x160}, {"THORN", 0xde},    {"Uacute", 0xda},   {"Ucirc", 0xdb},    {"Ugrave", 0xd9},
    {"Uuml", 0xdc},    {"Yacute", 0xdd},   {"aacute", 0xe1},   {"acirc", 0xe2},    {"acute", 0xb4},
    {"aelig", 0xe6},   {"agrave", 0xe0},   {"amp", '&'},       {"apos", '\''},     {"aring", 0xe5},
    {"atilde", 0xe3},  {"auml", 0xe4},     {"bdquo", 0x201e},  {"bull", 0x2022},   {"ccedil", 0xe7},
    {"cent", 0xa2},    {"copy", 0xa9},     {"dagger", 0x2020}, {"deg", 0xb0},      {"eacute", 0xe9},
    {"ecirc", 0xea},   {"egrave", 0xe8},   {"emsp", 0x2003},   {"ensp", 0x2002},   {"eth", 0xf0},
    {"euml", 0xeb},    {"euro", 0x20ac},   {"frac12", 0xbd},   {"frac14", 0xbc},   {"frac34", 0xbe},
    {"gt", '>'},       {"hearts", 0x2665}, {"hellip", 0x2026}, {"iacute", 0xed},   {"icirc", 0xee},
    {"iexcl", 0xa1},   {"igrave", 0xec},   {"iquest", 0xbf},   {"iuml", 0xef},     {"laquo", 0xab},
    {"larr", 0x2190},  {"ldquo", 0x201c},  {"lsaquo", 0x2039}, {"lsquo", 0x2018},  {"lt", '<'},
    {"mdash", 0x2014}, {"micro", 0xb5},    {"middot", 0xb7},   {"nbsp", 0xa0},     {"ndash", 0x2013},
    {"ntilde", 0xf1},  {"oacute", 0xf3},   {"ocirc", 0xf4},    {"oelig", 0x153},   {"ograve", 0xf2},
    {"ordf", 0xaa},    {"ordm", 0xba},     {"oslash", 0xf8},   {"otilde", 0xf5},   {"ouml", 0xf6},
    {"para", 0xb6},    {"permil", 0x2030}, {"plusmn", 0xb1},   {"pound", 0xa3},    {"quot", '"'},
    {"raquo", 0xbb},   {"rarr", 0x2192},   {"rdquo", 0x201d},  {"reg", 0xae},      {"rsaquo", 0x203a},
    {"rsquo", 0x2019}, {"sbquo", 0x201a},  {"scaron", 0x161},  {"sect", 0xa7},     {"shy", 0xad},
    {"sup2", 0xb2},    {"sup3", 0xb3},     {"szlig", 0xdf},    {"thinsp", 0x2009}, {"thorn", 0xfe},
    {"times", 0xd7},   {"trade", 0x2122},  {"uacute", 0xfa},   {"ucirc", 0xfb},    {"ugrave", 0xf9},
    {"uml", 0xa8},     {"uuml", 0xfc},     {"yacute", 0xfd},   {"yen", 0xa5},      {"yuml", 0xff},
    {"zwj", 0x200d},   {"zwnj", 0x200c},
});

constexpr bool by_name(const Entity& a, const Entity& b) { return a.name < b.name; }
static_assert(std::is_sorted(kEntities.begin(), kEntities.end(), by_name));

constexpr std::size_t kNameMax = 8;
constexpr std::size_t kDigitsMax = 8;

std::size_t append_number(std::string_view text, std::string& out) {
  std::size_t at = 2;  // behind "&#"
  const bool hex = at < text.size() && lower(text[at]) == 'x';
  if (hex) ++at;
  const std::size_t digits = at;
  char32_t number = 0;
  for (; at < text.size() && at - digits < kDigitsMax; ++at) {
    const int digit = hex ? hex_digit(text[at]) : is_digit(text[at]) ? text[at] - '0' : -1;
    if (digit < 0) break;
    number = number * (hex ? 16 : 10) + static_cast<char32_t>(digit);
  }
  if (at == digits) return 0;
  append_utf8(out, number == 0 ? 0xfffd : number);
  return at + (at < text.size() && text[at] == ';' ? 1 : 0);
}

}  // namespace

std::size_t append_entity(std::string_view text, std::string& out) {
  if (text.starts_with("&#")) return append_number(text, out);
  const auto end = text.substr(0, kNameMax + 2).find(';');
  if (end == std::string_view::npos) return 0;
  const Entity wanted{text.substr(1, end - 1), 0};
  const auto* found = std::lower_bound(kEntities.begin(), kEntities.end(), wanted, by_name);
  if (found == kEntities.end() || found->name != wanted.name) return 0;
  append_utf8(out, found->character);
  return end + 1;
}

}  // namespace holdfast::lmtp
