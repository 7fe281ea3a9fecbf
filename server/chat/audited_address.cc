#include "server/chat/audited_address.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace holdfast::chat {
namespace {

template <std::size_t bytes>
std::string network(int family, const std::string& address, std::size_t kept, const char* suffix) {
  std::array<unsigned char, bytes> raw{};
  if (inet_pton(family, address.c_str(), raw.data()) != 1) return {};
  std::fill(raw.begin() + static_cast<std::ptrdiff_t>(kept), raw.end(), 0);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, raw.data(), text.data(), text.size()) == nullptr) return {};
  return std::string(text.data()) + suffix;
}

}  // namespace

std::string audited_address(std::string_view address, const Limits& limits) {
  if (limits.audit_addresses == AuditAddresses::none) return {};
  if (limits.audit_addresses == AuditAddresses::full) return std::string(address);
  constexpr std::string_view kMapped = "::ffff:";  // IPv4, seen through a socket of IPv6
  if (address.starts_with(kMapped) && address.find('.') != std::string_view::npos)
    address.remove_prefix(kMapped.size());
  const std::string text(address.substr(0, address.find('%')));
  if (text.find(':') == std::string::npos) return network<4>(AF_INET, text, 3, "/24");
  return network<16>(AF_INET6, text, 6, "/48");
}

}  // namespace holdfast::chat
