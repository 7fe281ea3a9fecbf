#include "server/chat/validation.h"

#include <algorithm>
#include <cstdint>

namespace holdfast::chat {
namespace {

std::string at_most(std::string_view field, std::size_t bytes_max) {
  return std::string(field) + ": at most " + std::to_string(bytes_max) + " bytes";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// How many bytes follow the lead byte, and the least value that needs so many; -1: no lead byte.
struct Lead {
  int follow;
  std::uint32_t bits;
  std::uint32_t least;
};
Lead read_lead(std::uint8_t byte) {
  if (byte < 0x80) return {0, byte, 0};
  if (byte >= 0xc2 && byte < 0xe0) return {1, byte & 0x1fu, 0x80};
  if (byte >= 0xe0 && byte < 0xf0) return {2, byte & 0x0fu, 0x800};
  if (byte >= 0xf0 && byte < 0xf5) return {3, byte & 0x07u, 0x10000};
  return {-1, 0, 0};
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Lead lead = read_lead(static_cast<std::uint8_t>(text[at++]));
    if (lead.follow < 0 || text.size() - at < static_cast<std::size_t>(lead.follow)) return false;
    std::uint32_t code = lead.bits;
    for (int i = 0; i < lead.follow; ++i) {
      const auto byte = static_cast<std::uint8_t>(text[at++]);
      if ((byte & 0xc0u) != 0x80u) return false;
      code = code << 6 | (byte & 0x3fu);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < lead.least || surrogate || code > 0x10ffff) return false;
  }
  return true;
}

Complaint bad_username(std::string_view username, const Limits& limits) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (username.empty() || username.size() > limits.username_bytes_max ||
      !std::all_of(username.begin(), username.end(), allowed))
    return "username: 1 to " + std::to_string(limits.username_bytes_max) + " of [a-z0-9._-]";
  return std::nullopt;
}

Complaint bad_new_password(std::string_view password, const Limits& limits) {
  if (password.size() < limits.password_bytes_min || password.size() > limits.password_bytes_max)
    return "password: " + std::to_string(limits.password_bytes_min) + " to " +
           std::to_string(limits.password_bytes_max) + " bytes";
  if (password.find('\0') != std::string_view::npos) return "password: no NUL byte";
  return std::nullopt;
}

Complaint bad_password(std::string_view password, const Limits& limits) {
  if (password.size() > limits.password_bytes_max) return at_most("password", limits.password_bytes_max);
  return std::nullopt;
}

Complaint bad_email(std::string_view email, const Limits& limits) {
  if (email.empty()) return std::nullopt;
  if (auto bad = bad_text("email", email, limits.email_bytes_max)) return bad;
  const auto at = email.rfind('@');
  const bool spaced = email.find_first_of(" ,;<>\"()") != std::string_view::npos;
  if (at == std::string_view::npos || at == 0 || at + 1 == email.size() || at > 64 || spaced)
    return "email: an address like name@example.org";
  return std::nullopt;
}

Complaint bad_device_name(std::string_view name, const Limits& limits) {
  return bad_text("device_name", name, limits.device_name_bytes_max);
}

Complaint bad_title(std::string_view title, const Limits& limits) {
  if (title.empty()) return "title: 1 to " + std::to_string(limits.title_bytes_max) + " bytes of UTF-8";
  return bad_text("title", title, limits.title_bytes_max);
}

Complaint bad_text(std::string_view field, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) return at_most(field, bytes_max);
  if (!is_utf8(text)) return std::string(field) + ": not valid UTF-8";
  if (std::any_of(text.begin(), text.end(), is_control)) return std::string(field) + ": no control characters";
  return std::nullopt;
}

}  // namespace holdfast::chat
