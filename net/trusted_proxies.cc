#include "net/trusted_proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace holdfast {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr unsigned kMappedBits = 96;

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) - from + 1);
}

/// Some proxies add the port: "192.0.2.7:4711", "[2001:db8::7]:4711".
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  const auto colon = text.find(':');
  return colon != text.rfind(':') ? text : text.substr(0, colon);
}

/// Cuts the last of what stands between commas off; what is left stays in `list`.
std::string_view take_last(std::string_view& list) {
  const auto comma = list.rfind(',');
  const std::string_view last = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  return trimmed(last);
}

}  // namespace

bool TrustedProxies::read(std::string_view text, Bytes& bytes) {
  const std::string address(text);
  bytes.fill(0);
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return true;
  bytes[10] = bytes[11] = 0xff;
  return inet_pton(AF_INET, address.c_str(), bytes.data() + kMappedBits / 8) == 1;
}

Result<TrustedProxies::Network> TrustedProxies::parse_network(std::string_view text) {
  const Error wrong{Errc::invalid_argument,
                    "\"" + std::string(text) + "\" is no address and no network: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32"};
  const auto slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  Network network;
  if (!read(address, network.address)) return wrong;
  const unsigned before = address.find(':') == std::string_view::npos ? kMappedBits : 0;
  network.bits = 128;
  if (slash == std::string_view::npos) return network;
  const std::string_view length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (error != std::errc() || end != length.data() + length.size() || before + bits > 128) return wrong;
  network.bits = before + bits;
  return network;
}

Result<TrustedProxies> TrustedProxies::parse(std::string_view text) {
  TrustedProxies proxies;
  if (trimmed(text).empty()) return proxies;
  while (!text.empty()) {
    auto network = parse_network(take_last(text));
    if (!network) return network.error();
    proxies.networks_.push_back(*network);
  }
  return proxies;
}

bool TrustedProxies::trusts(const Bytes& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) {
    const unsigned whole = network.bits / 8, rest = network.bits % 8;
    if (!std::equal(address.begin(), address.begin() + whole, network.address.begin())) return false;
    return rest == 0 || (address[whole] ^ network.address[whole]) >> (8 - rest) == 0;
  });
}

bool TrustedProxies::trusts(std::string_view address) const {
  Bytes bytes;
  return !networks_.empty() && read(address, bytes) && trusts(bytes);
}

std::string TrustedProxies::client_of(std::string_view peer, std::string_view forwarded_for) const {
  std::string client(peer);
  while (trusts(client) && !forwarded_for.empty()) {
    const std::string_view said = without_port(take_last(forwarded_for));
    Bytes bytes;
    if (!read(said, bytes)) break;
    client = said;
  }
  return client;
}

}  // namespace holdfast
