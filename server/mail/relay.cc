#include "server/mail/relay.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>

#include "server/mail/address.h"

namespace holdfast::mail {
namespace {

struct Scheme {
  std::string_view prefix;
  Security security;
  std::uint16_t port;
};

constexpr Scheme kSchemes[] = {
    {"smtp://", Security::none, 25}, {"smtp+starttls://", Security::starttls, 587}, {"smtps://", Security::tls, 465}};

Error wrong(std::string what) {
  return {Errc::invalid_argument, "a relay is smtp[+starttls]://[user:password@]host[:port] or smtps://…: " + what};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Status take_login(std::string_view login, Relay& relay) {
  const auto colon = login.find(':');
  const auto user = percent_decoded(login.substr(0, colon));
  const auto password = percent_decoded(colon == std::string_view::npos ? "" : login.substr(colon + 1));
  if (!user || !password) return wrong("a % in user or password begins two hex digits (%25 is the % itself)");
  if (user->empty() || password->empty()) return wrong("user and password go together, neither of them empty");
  relay.user = *user;
  relay.password = *password;
  return Ok{};
}

Status take_port(std::string_view text, Relay& relay) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), relay.port);
  if (error != std::errc() || end != text.data() + text.size() || relay.port == 0)
    return wrong("the port is a number from 1 to 65535");
  return Ok{};
}

bool is_ip(int family, const std::string& text) {
  in6_addr any{};
  return ::inet_pton(family, text.c_str(), &any) == 1;
}

Status take_host(std::string_view text, Relay& relay) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong("an IPv6 address ends with ]");
    relay.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!is_ip(AF_INET6, relay.host)) return wrong("what stands in brackets is no IPv6 address");
  } else {
    const auto colon = text.find(':');
    relay.host = text.substr(0, colon);
    port = colon == std::string_view::npos ? "" : text.substr(colon);
    if (const Status good = check_domain(relay.host); !good && !is_ip(AF_INET, relay.host))
      return wrong(good.error().message);
  }
  if (port.empty()) return Ok{};
  if (!port.starts_with(':')) return wrong("after the host comes a colon and the port, or nothing");
  return take_port(port.substr(1), relay);
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && is_ip(AF_INET, host));
}

}  // namespace

std::string Relay::name() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return shown + ":" + std::to_string(port);
}

Result<Relay> parse_relay(std::string_view text) {
  for (const Scheme& scheme : kSchemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    Relay relay;
    relay.security = scheme.security;
    relay.port = scheme.port;
    auto rest = text.substr(scheme.prefix.size());
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
      if (const Status good = take_login(rest.substr(0, at), relay); !good) return good.error();
      rest.remove_prefix(at + 1);
    }
    if (const Status good = take_host(rest, relay); !good) return good.error();
    if (!relay.password.empty() && relay.security == Security::none && !is_this_machine(relay.host))
      return wrong("the password would cross the network in plain text; use smtp+starttls:// or smtps://");
    return relay;
  }
  return wrong("it begins with none of smtp://, smtp+starttls:// and smtps://");
}

Result<std::vector<Relay>> parse_relays(std::string_view text) {
  constexpr std::string_view kBetween = ", \t";
  std::vector<Relay> relays;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBetween), text.size()));
    if (text.empty()) return relays;
    const auto one = text.substr(0, text.find_first_of(kBetween));
    auto relay = parse_relay(one);
    if (!relay) return relay.error();
    relays.push_back(std::move(*relay));
    text.remove_prefix(one.size());
  }
}

}  // namespace holdfast::mail
