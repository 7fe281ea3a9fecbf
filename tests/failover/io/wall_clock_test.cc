// A wall clock that is set back must not make a node blind to etcd. Only a preloaded library can do that to one process,
// so the test runs itself again with it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/time.h"
#include "tests/failover/io/etcd_world.h"
#include "tools/holdfast-chaos/shim/settings.h"

extern char** environ;

namespace holdfast::failover {
namespace {

constexpr const char* kFileVariable = "HOLDFAST_CHAOS_SHIM";

void set_clock(std::int64_t offset_s) {
  const chaos::shim::Settings settings{.clock_offset_s = offset_s};
  const int file = ::open(std::getenv(kFileVariable), O_WRONLY | O_CLOEXEC);
  REQUIRE(::pwrite(file, &settings, sizeof settings, 0) == sizeof settings);
  ::close(file);
}

/// How this program ends with the library preloaded and these arguments.
int run_itself(const std::filesystem::path& file, const std::string& test) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  std::vector<std::string> environment = {
      "LD_PRELOAD=" + (self.parent_path() / "libholdfast_chaos_shim.so").string(),
      std::string(kFileVariable) + "=" + file.string(),
      "ASAN_OPTIONS=verify_asan_link_order=0",  // the library comes first, and harms nobody
  };
  for (char** one = environ; *one != nullptr; ++one) environment.emplace_back(*one);
  std::vector<char*> variables, arguments;
  for (std::string& one : environment) variables.push_back(one.data());
  variables.push_back(nullptr);
  std::string program = self.string(), name = test;
  arguments = {program.data(), name.data(), nullptr};
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), variables.data()) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("EtcdConfigStore: is there again soon after etcd is, though the wall clock was set back meanwhile") {
  const TempDirectory folder;
  const auto file = folder.path() / "settings";
  std::ofstream(file) << std::string(sizeof(chaos::shim::Settings), '\0');
  CHECK(run_itself(file, "[preloaded]") == 0);
}

TEST_CASE("the same, with the library preloaded", "[.preloaded][preloaded]") {
  REQUIRE(std::getenv(kFileVariable) != nullptr);
  testing::EtcdCluster cluster;
  const auto store = open_store(cluster.address(), {.read_timeout = std::chrono::milliseconds(500)});
  REQUIRE(until_reached([&] { return store->get("a"); }));
  for (std::int64_t round = 1; round <= 3; ++round) {
    cluster.kill(0);
    REQUIRE_FALSE(store->get("a"));  // so that gRPC waits with trying again
    const WallTime before = wall_now();
    set_clock(-600 * round);
    REQUIRE(wall_now() < before);
    cluster.start(0);  // takes longer than that wait
    CHECK(until_reached([&] { return store->get("a"); }));
  }
}

}  // namespace
}  // namespace holdfast::failover
