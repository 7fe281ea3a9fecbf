/// The disk is full: writes are refused with a typed error, reads go on, and it recovers when there is room.
#include <catch2/catch.hpp>

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>

#include "clients/cpp/ask.h"
#include "tests/support/http_get.h"
#include "tests/integration/raw_client.h"
#include "tests/support/process.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
namespace fs = std::filesystem;
using testing::eventually;
using testing::fresh_name;
using testing::post_frame;
using testing::RawClient;
using testing::ScratchFolder;
using testing::ServerProcess;

constexpr std::uint64_t kMiB = 1 << 20;

/// A small file system in memory, where this process may mount one.
class SmallDisk {
 public:
  SmallDisk() { mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=256m,mode=0700") == 0; }
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const fs::path& path() const { return folder_.path(); }
  std::uint64_t free_bytes() const {
    struct statvfs figures{};
    REQUIRE(::statvfs(path().c_str(), &figures) == 0);
    return figures.f_bavail * figures.f_frsize;
  }
  /// Takes room away until so much is left.
  void fill_up_to(std::uint64_t left) {
    std::ofstream ballast(path() / "ballast", std::ios::binary | std::ios::app);
    const std::string block(kMiB, '\0');
    while (free_bytes() > left + kMiB) ballast << block << std::flush;
  }
  void make_room() { fs::remove(path() / "ballast"); }

 private:
  ScratchFolder folder_;
  bool mounted_ = false;
};

v1::ErrorCode code_of(const v1::ServerFrame& answer) { return answer.error().code(); }

}  // namespace

TEST_CASE("Storage full: writes are STORAGE_FULL, reads go on, and with room again so do writes") {
  SmallDisk disk;
  if (!disk.mounted()) {
    WARN("no right to mount a small disk: see the test with an absurd reserve");
    return;
  }
  ServerProcess server({.config = "[storage]\ndisk_reserve_bytes = 67108864\n", .data = disk.path() / "data"});
  RawClient client(server.port());
  client.register_as(fresh_name("writer"));
  const auto group = client.ask(ask::create_group("talk", {})).conversation().conversation_id();
  REQUIRE(client.ask(post_frame(group, "there is room")).has_change());

  disk.fill_up_to(32 * kMiB);
  const auto post = post_frame(group, "no room");
  std::uint64_t written = 2;
  REQUIRE(eventually([&] {
    const auto answer = client.ask(post_frame(group, "still room?"));
    if (answer.has_change()) written = answer.change().number();
    return code_of(answer) == v1::STORAGE_FULL;
  }));
  const auto refused = client.refused(post);
  CHECK(refused.code() == v1::STORAGE_FULL);
  CHECK(refused.retry_after_ms() > 0);
  const auto page = client.ask(ask::history(*ConversationId::from_bytes(group), {.from = 0}));
  CHECK(page.history().last_number() == written);
  CHECK(client.ask(ask::list_conversations("", 10)).has_conversations());
  RawClient back(server.port());
  back.hello();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(client.token);
  CHECK(back.ask(resume).has_session());
  CHECK(testing::http_get(server.admin_port(), "/healthz").status == 200);

  disk.make_room();
  std::uint64_t number = 0;
  REQUIRE(eventually([&] {
    const auto answer = client.ask(post);  // the same id, as often as it takes
    number = answer.change().number();
    return answer.has_change();
  }));
  CHECK(number == written + 1);
}

TEST_CASE("Storage full: a reserve beyond the disk refuses writes from the start") {
  ServerProcess server;
  std::string token, group;
  {
    RawClient client(server.port());
    client.register_as(fresh_name("writer"));
    token = client.token;
    group = client.ask(ask::create_group("talk", {})).conversation().conversation_id();
  }
  server.stop();
  server.set_config("[storage]\ndisk_reserve_bytes = 1099511627776\n");
  server.start();
  v1::ClientFrame resume;
  resume.mutable_resume()->set_token(token);
  {
    RawClient client(server.port());
    client.hello();
    REQUIRE(client.ask(resume).has_session());
    CHECK(client.refused(post_frame(group, "x")).code() == v1::STORAGE_FULL);
    CHECK(client.refused(ask::create_group("another", {})).code() == v1::STORAGE_FULL);
    CHECK(client.ask(ask::history(*ConversationId::from_bytes(group), {.from = 0})).has_history());
  }
  server.stop();
  server.set_config("");
  server.start();
  RawClient again(server.port());
  again.hello();
  REQUIRE(again.ask(resume).has_session());
  CHECK(again.ask(post_frame(group, "x")).has_change());
}

}  // namespace holdfast
