/// A cluster's own certificate authority, and the certificates by which its nodes know each other.
///
///     DIR/ca.pem     whom all nodes believe: goes to every node
///     DIR/ca.key     signs: stays where certificates are made
///     DIR/NAME.pem   a node's certificate, for both ends of a link
///     DIR/NAME.key   its key
///
/// Who has a certificate of this authority belongs to the cluster: names in it tell people apart, not machines. Keys have
/// mode 0600, every file appears whole or not at all. Blocks on the disk; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast {

inline constexpr int kClusterCaDays = 3650;
inline constexpr int kNodeCertificateDays = 1825;

struct CertificateFiles {
  std::string certificate;
  std::string key;
};

/// Where they are, or will be, in `directory`.
CertificateFiles cluster_ca_files(const std::string& directory);
CertificateFiles node_certificate_files(const std::string& directory, const std::string& node);

/// Makes the authority, and the directory if it is not there. Fails with already_exists rather than replace one: the
/// certificates that it signed would be worthless. Fails with io and says which file.
Status make_cluster_ca(const std::string& directory);

/// Makes a node's certificate, signed by the directory's authority, for `hosts` (names or addresses, at least one).
/// Replaces an earlier one of that name. Fails with not_found (no authority there), invalid_argument (a bad name or
/// host; the authority's files don't belong together) or io.
Status make_node_certificate(const std::string& directory, const std::string& node,
                             const std::vector<std::string>& hosts);

}  // namespace holdfast
