#include "server/mail/address.h"

#include <algorithm>

namespace holdfast::mail {
namespace {

constexpr std::size_t kAddressBytesMax = 254;
constexpr std::size_t kLocalBytesMax = 64;
constexpr std::size_t kDomainBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }

/// RFC 5322's atext.
constexpr bool is_atom(char c) {
  return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

Error wrong(const char* what) { return {Errc::invalid_argument, what}; }

bool has_stray_dot(std::string_view text) {
  return text.front() == '.' || text.back() == '.' || text.find("..") != std::string_view::npos;
}

bool has_only_atoms(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || is_atom(c); });
}

Status check_local(std::string_view local) {
  if (local.empty()) return wrong("the address has nothing before its @");
  if (local.size() > kLocalBytesMax) return wrong("the part before the @ is longer than 64 bytes");
  if (has_stray_dot(local)) return wrong("dots before the @ stand between other characters, one at a time");
  if (!has_only_atoms(local))
    return wrong("before the @ only letters, digits, dots and !#$%&'*+-/=?^_`{|}~ are allowed");
  return Ok{};
}

Status check_label(std::string_view label) {
  if (label.empty()) return wrong("the domain has an empty part between its dots");
  if (label.size() > kLabelBytesMax) return wrong("the domain has a part that is longer than 63 bytes");
  if (label.front() == '-' || label.back() == '-') return wrong("the domain's parts don't begin or end with a hyphen");
  if (!std::all_of(label.begin(), label.end(), [](char c) { return c == '-' || is_letter_or_digit(c); }))
    return wrong("the domain has only letters, digits, hyphens and dots");
  return Ok{};
}

/// 192.0.2.1 has the shape of a domain, but no top-level domain is a number (RFC 3696, 2).
bool is_number(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_dot_atom(std::string_view text) { return !text.empty() && !has_stray_dot(text) && has_only_atoms(text); }

Status check_domain(std::string_view domain) {
  if (domain.empty()) return wrong("the domain is missing");
  if (domain.size() > kDomainBytesMax) return wrong("the domain is longer than 253 bytes");
  while (true) {
    const auto dot = domain.find('.');
    const auto label = domain.substr(0, dot);
    if (const Status good = check_label(label); !good) return good;
    if (dot == std::string_view::npos) {
      if (is_number(label)) return wrong("the domain is a name, not a number");
      return Ok{};
    }
    domain.remove_prefix(dot + 1);
  }
}

Result<Address> Address::parse(std::string_view text) {
  if (text.size() > kAddressBytesMax) return wrong("the address is longer than 254 bytes");
  const auto at = text.rfind('@');
  if (at == std::string_view::npos) return wrong("the address has no @");
  if (const Status good = check_local(text.substr(0, at)); !good) return good.error();
  if (const Status good = check_domain(text.substr(at + 1)); !good) return good.error();
  std::string kept(text);
  std::transform(kept.begin() + static_cast<std::ptrdiff_t>(at), kept.end(),
                 kept.begin() + static_cast<std::ptrdiff_t>(at), lower);
  return Address(std::move(kept), at);
}

}  // namespace holdfast::mail
