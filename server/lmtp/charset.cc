#include "server/lmtp/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

constexpr char32_t kReplacement = 0xfffd;

// 0x80 to 0x9f of windows-1252 (WHATWG's Encoding Standard); the rest is as in Unicode.
constexpr std::array<char16_t, 32> kWindows1252 = {0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                   0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
                                                   0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                   0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

// Names that libc knows. A list of ours, so that a mail can't name whatever else libc would load.
constexpr std::array<std::string_view, 48> kByLibc = {
    "iso-8859-2",   "iso-8859-3",   "iso-8859-4",   "iso-8859-5",   "iso-8859-6",     "iso-8859-7",
    "iso-8859-8",   "iso-8859-9",   "iso-8859-10",  "iso-8859-11",  "iso-8859-13",    "iso-8859-14",
    "iso-8859-15",  "iso-8859-16",  "windows-1250", "windows-1251", "windows-1253",   "windows-1254",
    "windows-1255", "windows-1256", "windows-1257", "windows-1258", "cp1250",         "cp1251",
    "cp437",        "cp850",        "cp852",        "cp866",        "koi8-r",         "koi8-u",
    "macintosh",    "tis-620",      "gb2312",       "gbk",          "gb18030",        "big5",
    "shift_jis",    "euc-jp",       "iso-2022-jp",  "euc-kr",       "ks_c_5601-1987", "iso-2022-kr",
    "utf-16",       "utf-16le",     "utf-16be",     "utf-32",       "utf-7",          "big5-hkscs"};

std::string from_windows_1252(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    append_utf8(out, byte >= 0x80 && byte < 0xa0 ? kWindows1252[byte - 0x80] : byte);
  }
  return out;
}

/// The length of the character that `bytes` begins with, or 0 if that is none.
std::size_t utf8_length(std::string_view bytes) {
  const auto at = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool surrogate = first == 0xed && at(1) > 0x9f;
  const bool beyond = first == 0xf4 && at(1) > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

struct Converter {
  explicit Converter(const std::string& charset) : handle(iconv_open("UTF-8", charset.c_str())) {}
  ~Converter() {
    if (is_open()) iconv_close(handle);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool is_open() const { return handle != reinterpret_cast<iconv_t>(-1); }

  iconv_t handle;
};

std::string convert(Converter& converter, std::string_view bytes) {
  std::string in(bytes), out;
  char* from = in.data();
  std::size_t left = in.size();
  std::array<char, 4096> buffer;
  while (left > 0) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const auto converted = iconv(converter.handle, &from, &left, &to, &room);
    const int error = errno;
    out.append(buffer.data(), buffer.size() - room);
    if (converted != static_cast<std::size_t>(-1) || error == E2BIG) continue;
    append_utf8(out, kReplacement);
    if (error == EINVAL) break;  // cut in the middle of a character
    ++from;
    --left;
  }
  char* to = buffer.data();
  std::size_t room = buffer.size();
  iconv(converter.handle, nullptr, nullptr, &to, &room);  // some hold back a character that could have gone on
  out.append(buffer.data(), buffer.size() - room);
  return repair_utf8(out);
}

}  // namespace

void append_utf8(std::string& out, char32_t code_point) {
  const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
  if (code_point > 0x10ffff || surrogate) code_point = kReplacement;
  const auto continuation = [&](int shift) { out += static_cast<char>(0x80 | (code_point >> shift & 0x3f)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0 | code_point >> 6);
    continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0 | code_point >> 12);
    continuation(6);
    continuation(0);
  } else {
    out += static_cast<char>(0xf0 | code_point >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = utf8_length(bytes);
    if (length == 0) append_utf8(out, kReplacement);
    out.append(bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

Result<std::string> to_utf8(std::string_view bytes, std::string_view charset) {
  const std::string name = lower(trim(charset));
  for (const std::string_view ours : {"", "utf-8", "utf8", "us-ascii", "ascii"}) {
    if (name == ours) return repair_utf8(bytes);
  }
  for (const std::string_view western : {"windows-1252", "cp1252", "iso-8859-1", "latin1"}) {
    if (name == western) return from_windows_1252(bytes);
  }
  const Error unknown{Errc::unsupported, "a part is in a charset that is not known here; UTF-8 always works"};
  if (std::find(kByLibc.begin(), kByLibc.end(), name) == kByLibc.end()) return unknown;
  Converter converter(name == "ks_c_5601-1987" ? "cp949" : name);
  if (!converter.is_open()) return unknown;  // libc came without it
  return convert(converter, bytes);
}

}  // namespace holdfast::lmtp
