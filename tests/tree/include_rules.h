/// Who may include whom: the tree's layers as rules that a test checks.
///
///   base -> proto -> net -> storage -> failover -> server/mail -> server/chat -> server/bus -> server/services
///        -> server/{gateway,http,lmtp} -> server          leftwards only
///
/// storage, failover but for failover/io, and server/mail don't use net; clients use base, proto and net; tools and tests may use
/// anything. Beast, all of Asio at once, and RocksDB are kept where they cost or belong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::tree {

struct Violation {
  std::string file;
  int line;
  std::string why;
};

/// What is wrong with the includes of one file. `file` is its path from the root, with slashes.
std::vector<Violation> check_includes(std::string_view file, std::string_view text);

}  // namespace holdfast::tree
