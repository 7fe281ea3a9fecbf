/// Where the configuration store is, as one writes it in a configuration file.
///
///     etcd[s]://[user:password@]host:port[,host:port...][/prefix]
///
/// etcds: over TLS. User and password are percent-encoded (a password with '@' has %40). All keys stand below /prefix/;
/// without one, below /holdfast/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::failover {

struct EtcdAddress {
  bool tls = false;
  std::string user, password;          ///< empty: etcd asks for none
  std::vector<std::string> endpoints;  ///< host:port each, an IPv6 host in brackets; at least one, all of one cluster
  std::string prefix = "holdfast";     ///< without slashes at its ends, not empty
};

/// Fails with invalid_argument, names what is wrong and shows the form. Never repeats the password.
Result<EtcdAddress> parse_etcd_address(std::string_view text);

}  // namespace holdfast::failover
