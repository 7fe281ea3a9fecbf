/// Reverse proxies whose word about their clients is believed: X-Forwarded-For, to which each proxy adds, on the right, who
/// connected to it. Whatever a client writes there itself stands left of that.
///
/// A value, constant once parsed; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast {

class TrustedProxies {
 public:
  /// Addresses and networks, with commas between: "10.0.0.0/8, 192.0.2.7, 2001:db8::/32". Empty: none. invalid_argument
  /// names the part that is neither.
  static Result<TrustedProxies> parse(std::string_view text);

  bool trusts(std::string_view address) const;
  /// Whose request that is which came from `peer` (an IP address as text): `peer` itself, unless it is trusted; else the
  /// rightmost address that is not. What is no address ends the search, with whom was believed last: behind it anybody may
  /// have written. `forwarded_for`: the headers' values in their order, with commas between.
  std::string client_of(std::string_view peer, std::string_view forwarded_for) const;

 private:
  /// An IPv4 address is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
  using Bytes = std::array<std::uint8_t, 16>;
  struct Network {
    Bytes address{};
    unsigned bits = 0;  ///< that count, from the front
  };
  static bool read(std::string_view text, Bytes& bytes);
  static Result<Network> parse_network(std::string_view text);
  bool trusts(const Bytes& address) const;

  std::vector<Network> networks_;
};

}  // namespace holdfast
