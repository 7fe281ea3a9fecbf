#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "clients/cpp/session_store.h"

using namespace holdfast;
using namespace holdfast::client;
namespace fs = std::filesystem;

namespace {
struct Folder {
  fs::path path;
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "holdfast-store-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
};
const SavedSession kSession{"ada", std::string(16, 'u'),     std::string(16, 's'),     "token",
                            42,    {"post one", "post two"}, {"one:7400", "two:7400"}, 17};
}  // namespace

TEST_CASE("FileSessionStore: keeps everything, for its owner only") {
  Folder folder;
  const auto path = folder.path / "deep" / "session";
  {
    auto store = FileSessionStore::open(path.string());
    REQUIRE(store);
    CHECK_FALSE(*(*store)->load());
    REQUIRE((*store)->save(kSession));
  }
  auto store = FileSessionStore::open(path.string());
  const auto loaded = *(*store)->load();
  REQUIRE(loaded);
  CHECK(loaded->username == "ada");
  CHECK(loaded->token == "token");
  CHECK(loaded->cursor == 42);
  CHECK(loaded->endpoints == kSession.endpoints);
  CHECK(loaded->generation == 17);
  CHECK(loaded->outbox == kSession.outbox);
  CHECK((fs::status(path).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
  REQUIRE((*store)->clear());
  CHECK_FALSE(*(*store)->load());
}

TEST_CASE("FileSessionStore: a damaged file is said to be damaged") {
  Folder folder;
  const auto path = folder.path / "session";
  auto store = FileSessionStore::open(path.string());
  REQUIRE((*store)->save(kSession));
  for (const auto cut : {std::uintmax_t{0}, std::uintmax_t{10}, fs::file_size(path) - 1}) {
    REQUIRE((*store)->save(kSession));
    fs::resize_file(path, cut);
    const auto loaded = (*store)->load();
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == Errc::corrupt);
  }
}

TEST_CASE("FileSessionStore: one process at a time") {
  Folder folder;
  const auto path = (folder.path / "session").string();
  auto first = FileSessionStore::open(path);
  const auto second = FileSessionStore::open(path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::in_use);
}

TEST_CASE("FileSessionStore: a leftover of a save that was cut short does no harm") {
  Folder folder;
  const auto path = (folder.path / "session").string();
  auto store = FileSessionStore::open(path);
  REQUIRE((*store)->save(kSession));
  std::ofstream(path + ".new") << "half";
  CHECK((*(*store)->load())->cursor == 42);
  REQUIRE((*store)->save(kSession));
}
