#include "server/kernel_settings.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/storage/temp_directory.h"

using namespace holdfast;

TEST_CASE("Kernel settings: what is too low is named, with what is wanted; what is enough or unknown is not") {
  const TempDirectory folder;
  std::filesystem::create_directories(folder.path() / "net/core");
  std::filesystem::create_directories(folder.path() / "net/ipv4");
  std::ofstream(folder.path() / "net/core/somaxconn") << "4096\n";
  auto low = low_kernel_settings(folder.path(), 1'000'000);
  REQUIRE(low.size() == 1);
  CHECK(low[0].name == "net.core.somaxconn");
  CHECK(low[0].value == 4'096);
  CHECK(low[0].wanted == 16'384);
  std::ofstream(folder.path() / "net/core/somaxconn") << "16384\n";
  std::ofstream(folder.path() / "net/ipv4/tcp_max_syn_backlog") << "128\n";
  low = low_kernel_settings(folder.path(), 1'024);
  REQUIRE(low.size() == 2);
  CHECK(low[0].name == "net.ipv4.tcp_max_syn_backlog");
  CHECK(low[1].name == "ulimit -n");
}
