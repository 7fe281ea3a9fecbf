#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/tree/include_rules.h"

namespace holdfast::tree {
namespace {

namespace fs = std::filesystem;

bool breaks_a_rule(std::string_view file, std::string_view include) {
  const std::string text = "// a comment\n  # include " + std::string(include) + "\n";
  const auto found = check_includes(file, text);
  REQUIRE(found.size() <= 1);
  if (!found.empty()) REQUIRE(found[0].line == 2);
  return !found.empty();
}

bool is_source(const fs::path& path) { return path.extension() == ".cc" || path.extension() == ".h"; }

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

fs::path source_root() {
  const char* root = std::getenv("HOLDFAST_SOURCE");
  REQUIRE(root != nullptr);  // ctest and ./dev check set it
  return root;
}

}  // namespace

TEST_CASE("Tree: every include goes leftwards, and heavy libraries stay where they belong") {
  const fs::path root = source_root();
  int files = 0;
  for (const char* top : {"base", "proto", "net", "storage", "failover", "server", "clients", "tools", "tests"}) {
    if (!fs::exists(root / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      ++files;
      const std::string name = fs::relative(entry.path(), root).generic_string();
      for (const Violation& violation : check_includes(name, read(entry.path()))) {
        FAIL_CHECK(violation.file << ":" << violation.line << ": " << violation.why);
      }
    }
  }
  REQUIRE(files > 20);  // an empty walk proves nothing
}

TEST_CASE("Tree: an include to the right is found") {
  CHECK(breaks_a_rule("base/ids.h", "\"proto/client.pb.h\""));
  CHECK(breaks_a_rule("net/stream.cc", "\"storage/keys.h\""));
  CHECK(breaks_a_rule("server/chat/rules.cc", "\"server/services/delivery.h\""));
  CHECK(breaks_a_rule("server/gateway/door.cc", "\"server/node.h\""));
  CHECK(breaks_a_rule("server/gateway/door.cc", "\"server/http/admin.h\""));
  CHECK(breaks_a_rule("server/mail/mailer.cc", "\"server/chat/rules.h\""));
  CHECK(breaks_a_rule("server/mail/mailer.cc", "\"net/stream.h\""));
  CHECK(breaks_a_rule("server/lmtp/lmtp_server.cc", "\"server/http/http_server.h\""));
  CHECK(breaks_a_rule("server/services/delivery.cc", "\"server/lmtp/lmtp_server.h\""));
  CHECK(breaks_a_rule("server/node.cc", "\"clients/cpp/client.h\""));
  CHECK(breaks_a_rule("server/node.cc", "\"tests/support/play.h\""));
  CHECK(breaks_a_rule("clients/cpp/client.cc", "\"storage/keys.h\""));
  CHECK(breaks_a_rule("server/chat/rules.cc", "\"rules.h\""));
}

TEST_CASE("Tree: an include to the left, or within the folder, is not") {
  CHECK_FALSE(breaks_a_rule("base/uuid.cc", "\"base/uuid.h\""));
  CHECK_FALSE(breaks_a_rule("server/http/admin.cc", "\"net/stream.h\""));
  CHECK_FALSE(breaks_a_rule("server/main.cc", "\"server/gateway/door.h\""));
  CHECK_FALSE(breaks_a_rule("server/gateway/door.cc", "\"server/services/delivery.h\""));
  CHECK_FALSE(breaks_a_rule("server/services/mail.cc", "\"server/mail/mailer.h\""));
  CHECK_FALSE(breaks_a_rule("clients/cpp/client.cc", "\"net/stream.h\""));
  CHECK_FALSE(breaks_a_rule("tools/holdfast-chat/main.cc", "\"clients/cpp/client.h\""));
  CHECK_FALSE(breaks_a_rule("tests/integration/resume_test.cc", "\"server/node.h\""));
  CHECK_FALSE(breaks_a_rule("tests/clients/cpp/outbox_test.cc", "\"play.h\""));
}

TEST_CASE("Tree: storage and failover don't use net, failover/io does") {
  CHECK(breaks_a_rule("storage/rocksdb.cc", "\"net/stream.h\""));
  CHECK(breaks_a_rule("failover/replica.cc", "\"net/stream.h\""));
  CHECK(breaks_a_rule("failover/replica.cc", "\"failover/io/peer_link.h\""));
  CHECK_FALSE(breaks_a_rule("failover/io/peer_link.cc", "\"net/stream.h\""));
  CHECK_FALSE(breaks_a_rule("failover/io/peer_link.cc", "\"failover/replica.h\""));
}

TEST_CASE("Tree: Beast, all of Asio, RocksDB and libcurl are kept out") {
  CHECK(breaks_a_rule("net/stream.cc", "<boost/asio.hpp>"));
  CHECK(breaks_a_rule("server/http/admin.cc", "<boost/beast/http.hpp>"));
  CHECK(breaks_a_rule("server/node.cc", "<rocksdb/db.h>"));
  CHECK(breaks_a_rule("tests/server/node_test.cc", "<rocksdb/db.h>"));
  CHECK(breaks_a_rule("server/http/admin.cc", "\"net/http_wire.h\""));
  CHECK(breaks_a_rule("server/services/mail.cc", "<curl/curl.h>"));
  CHECK_FALSE(breaks_a_rule("server/mail/smtp_client.cc", "<curl/curl.h>"));
  CHECK_FALSE(breaks_a_rule("net/websocket.cc", "<boost/beast/websocket.hpp>"));
  CHECK_FALSE(breaks_a_rule("net/stream.cc", "<boost/asio/awaitable.hpp>"));
  CHECK_FALSE(breaks_a_rule("storage/rocksdb.cc", "<rocksdb/db.h>"));
  CHECK_FALSE(breaks_a_rule("tests/bench/bare.cc", "<rocksdb/db.h>"));
}

}  // namespace holdfast::tree
