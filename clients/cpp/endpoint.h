/// Where a server listens and how to speak to it there. Pure values.
///
///     endpoint = [ scheme "://" ] host [ ":" port ] [ "/" ]
///     scheme   = "holdfast" / "holdfasts" / "ws" / "wss"     ; without one: holdfast
///     port     = 1 to 65535                                  ; without one: 7400
///
/// An IPv6 address stands in brackets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::client {

inline constexpr std::uint16_t kDefaultPort = 7400;

struct Endpoint {
  std::string host;  ///< without brackets
  std::uint16_t port = kDefaultPort;
  bool tls = false;
  bool websocket = false;

  /// host:port, with brackets where needed: what a Host header wants.
  std::string authority() const;
  /// The whole of it, as parse_endpoint() takes it.
  std::string str() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// Fails with invalid_argument and says what was expected.
Result<Endpoint> parse_endpoint(std::string_view text);
/// Several, with commas between. At least one.
Result<std::vector<Endpoint>> parse_endpoints(std::string_view text);

}  // namespace holdfast::client
