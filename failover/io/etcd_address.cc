#include "failover/io/etcd_address.h"

#include <optional>

#include "net/listener.h"

namespace holdfast::failover {
namespace {

Error wrong(const std::string& what) {
  return Error{
      Errc::invalid_argument,
      "etcd's address: " + what + "; it has the form etcd://[user:password@]host:port[,host:port...][/prefix]"};
}

bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

std::optional<int> hex(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain.push_back(text[at]);
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const auto high = hex(text[at + 1]), low = hex(text[at + 2]);
    if (!high || !low) return std::nullopt;
    plain.push_back(static_cast<char>(*high << 4 | *low));
    at += 2;
  }
  return plain;
}

Status parse_credentials(std::string_view text, EtcdAddress& address) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return wrong("what stands before '@' is not user:password");
  auto user = percent_decoded(text.substr(0, colon));
  auto password = percent_decoded(text.substr(colon + 1));
  if (!user || !password)
    return wrong("user and password are percent-encoded, and a '%' is not followed by two digits");
  address.user = std::move(*user);
  address.password = std::move(*password);
  return Ok{};
}

Status parse_endpoints(std::string_view text, EtcdAddress& address) {
  while (true) {
    const auto comma = text.find(',');
    const auto one = text.substr(0, comma);
    auto parsed = parse_host_port(one);
    if (!parsed || parsed->host.empty() || parsed->port == 0)
      return wrong("\"" + std::string(one) + "\" is not host:port (etcd's client port is 2379 unless configured)");
    address.endpoints.push_back(parsed->str());
    if (comma == std::string_view::npos) return Ok{};
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<EtcdAddress> parse_etcd_address(std::string_view text) {
  EtcdAddress address;
  if (take(text, "etcds://")) {
    address.tls = true;
  } else if (!take(text, "etcd://")) {
    return wrong("it begins with neither etcd:// nor etcds://");
  }
  // A password may have a slash, so the credentials are cut off first.
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (Status parsed = parse_credentials(text.substr(0, at), address); !parsed) return parsed.error();
    text.remove_prefix(at + 1);
  }
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    std::string_view prefix = text.substr(slash + 1);
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (prefix.starts_with('/')) return wrong("the prefix begins with two slashes");
    if (!prefix.empty()) address.prefix = prefix;
  }
  if (Status parsed = parse_endpoints(text.substr(0, slash), address); !parsed) return parsed.error();
  return address;
}

}  // namespace holdfast::failover
