#include "clients/cpp/endpoint.h"

#include <charconv>

namespace holdfast::client {

namespace {

Error bad(std::string_view text, const char* why) {
  return {Errc::invalid_argument, "server '" + std::string(text) + "': " + why +
                                      "; give host:port, or a URL that begins with holdfast://, holdfasts://, ws:// or "
                                      "wss://"};
}

/// Cuts "scheme://" off `rest` and notes what it says.
bool take_scheme(std::string_view& rest, Endpoint& endpoint) {
  const auto end = rest.find("://");
  if (end == std::string_view::npos) return true;
  const auto scheme = rest.substr(0, end);
  rest.remove_prefix(end + 3);
  endpoint.websocket = scheme == "ws" || scheme == "wss";
  endpoint.tls = scheme == "holdfasts" || scheme == "wss";
  return endpoint.websocket || endpoint.tls || scheme == "holdfast";
}

/// Cuts the host off `rest`; what is left is empty or ":port".
bool take_host(std::string_view& rest, Endpoint& endpoint) {
  if (rest.starts_with('[')) {
    const auto end = rest.find(']');
    if (end == std::string_view::npos) return false;
    endpoint.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  } else {
    const auto end = rest.find(':');
    endpoint.host = rest.substr(0, end);
    rest.remove_prefix(std::min(end, rest.size()));
  }
  return !endpoint.host.empty() && endpoint.host.find_first_of("/ \t") == std::string::npos;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::string Endpoint::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Endpoint::str() const {
  const char* scheme = websocket ? (tls ? "wss://" : "ws://") : (tls ? "holdfasts://" : "holdfast://");
  return scheme + authority();
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  if (!take_scheme(rest, endpoint)) return bad(text, "unknown scheme");
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (!take_host(rest, endpoint)) return bad(text, "no host");
  if (rest.empty()) return endpoint;
  if (!rest.starts_with(':') || !parse_port(rest.substr(1), endpoint.port)) return bad(text, "the port is 1 to 65535");
  return endpoint;
}

Result<std::vector<Endpoint>> parse_endpoints(std::string_view text) {
  std::vector<Endpoint> endpoints;
  while (true) {
    const auto comma = text.find(',');
    auto one = parse_endpoint(text.substr(0, comma));
    if (!one) return one.error();
    endpoints.push_back(std::move(*one));
    if (comma == std::string_view::npos) return endpoints;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace holdfast::client
