#include "storage/data_directory.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <fstream>

#include "tests/storage/temp_directory.h"

using namespace holdfast;

namespace {

struct Fixture {
  TempDirectory temp;
  std::filesystem::path path = temp / "data";
  SeededRandom random{1};

  Result<std::unique_ptr<DataDirectory>> open() { return DataDirectory::open(path, random); }
  void write(std::string_view name, std::string_view content) const { std::ofstream(path / name) << content; }
};

unsigned mode_of(const std::filesystem::path& path) {
  struct stat info = {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777u;
}

}  // namespace

TEST_CASE("DataDirectory: is made once, for its owner only, and keeps its id") {
  Fixture f;
  StoreId id;
  {
    const auto made = f.open();
    REQUIRE(made);
    CHECK((*made)->is_new());
    id = (*made)->store_id();
    CHECK_FALSE(id.is_zero());
    CHECK(mode_of(f.path) == 0700);
    CHECK(mode_of((*made)->log_path()) == 0700);
    CHECK(mode_of(f.path / "store_id") == 0600);
  }
  const auto again = f.open();
  REQUIRE(again);
  CHECK_FALSE((*again)->is_new());
  CHECK((*again)->store_id() == id);
}

TEST_CASE("DataDirectory: a second process is refused, and told who has it") {
  Fixture f;
  const auto held = f.open();
  REQUIRE(held);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto opened = f.open();
    const bool refused = !opened && opened.error().code == Errc::in_use &&
                         opened.error().message.ends_with("in use by process " + std::to_string(::getppid()));
    ::_exit(refused ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("DataDirectory: is free again when its holder is gone, and a stale pid does not matter") {
  Fixture f;
  REQUIRE(f.open());
  f.write("LOCK", "1\n");
  CHECK(f.open());
}

TEST_CASE("DataDirectory: another version's, a stranger's and a damaged one are refused") {
  Fixture f;
  REQUIRE(f.open());
  f.write("format", "holdfast data 99\n");
  CHECK(f.open().error().code == Errc::unsupported);
  f.write("format", "nonsense");
  CHECK(f.open().error().code == Errc::corrupt);
  f.write("format", "holdfast data 1\n");
  f.write("store_id", "12345");
  CHECK(f.open().error().code == Errc::corrupt);
  std::filesystem::remove(f.path / "format");
  f.write("log/CURRENT", "somebody's");
  CHECK(f.open().error().code == Errc::corrupt);
}

TEST_CASE("DataDirectory: one whose making was cut short is made again") {
  Fixture f;
  REQUIRE(f.open());
  std::filesystem::remove(f.path / "format");
  const auto again = f.open();
  REQUIRE(again);
  CHECK((*again)->is_new());
}
