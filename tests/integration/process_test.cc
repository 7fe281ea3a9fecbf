/// How the process behaves: starting, stopping, refusing to start, its files and its pages.
#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <fstream>

#include "clients/cpp/ask.h"
#include "tests/support/http_get.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"
#include "tests/support/process.h"

namespace holdfast {
namespace {

namespace ask = client::ask;
namespace fs = std::filesystem;
using testing::Bystanders;
using testing::contents_of;
using testing::fresh_name;
using testing::http_get;
using testing::post_frame;
using testing::program;
using testing::RawClient;
using testing::run_program;
using testing::ScratchFolder;
using testing::ServerProcess;
using testing::shared_server;

v1::ClientFrame resume_with(const std::string& token) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_token(token);
  return frame;
}

/// An IPv4 address of this machine that is not loopback; empty if there is none.
std::string outer_address() {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return {};
  std::string found;
  for (const ifaddrs* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    const auto address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr;
    if (ntohl(address.s_addr) >> 24 == 127) continue;
    char text[INET_ADDRSTRLEN];
    found = ::inet_ntop(AF_INET, &address, text, sizeof text);
  }
  ::freeifaddrs(all);
  return found;
}

testing::Ended check_config(const std::string& toml) {
  ScratchFolder folder;
  const auto file = folder.path() / "holdfast.toml";
  std::ofstream(file) << toml;
  return run_program({program("holdfastd"), "--config", file, "--check-config"});
}

/// The newest file with this ending.
fs::path newest(const fs::path& folder, const std::string& extension) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == extension && entry.file_size() > 0 &&
        (found.empty() || entry.path().filename() > found.filename()))
      found = entry.path();
  return found;
}

void flip_byte(const fs::path& file, double where) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(static_cast<double>(fs::file_size(file)) * where);
  stream.seekg(at);
  const char byte = static_cast<char>(stream.get());
  stream.seekp(at);
  stream.put(static_cast<char>(byte ^ 0x5a));
}

/// A server that has something in its log, killed.
std::string fill_and_kill(ServerProcess& server) {
  RawClient client(server.port());
  client.register_as(fresh_name("writer"));
  const auto group = client.ask(ask::create_group("talk", {})).conversation().conversation_id();
  for (int i = 0; i < 200; ++i) REQUIRE(client.ask(post_frame(group, std::string(300, 'x'))).has_change());
  server.kill_hard();
  return client.token;
}

}  // namespace

TEST_CASE("Process: a second one on the same data is refused, and says which process has it") {
  Bystanders others(shared_server().port());
  auto command = shared_server().command();
  const auto ended = run_program(command);
  CHECK(ended.exit_code == 1);
  CHECK(ended.err.find("in use by process " + std::to_string(shared_server().pid())) != std::string::npos);
  others.go_on();
}

TEST_CASE("Process: SIGTERM says good-bye with a hint, finishes, and exits 0") {
  ServerProcess server({.config = "[clients]\ndrain_retry_after_ms = 1234\n"});
  RawClient idle(server.port()), busy(server.port());
  idle.register_as(fresh_name("idle"));
  busy.register_as(fresh_name("busy"));
  const auto group = busy.ask(ask::create_group("talk", {})).conversation().conversation_id();
  for (std::uint64_t i = 0; i < 50; ++i) {
    auto frame = post_frame(group, "the last words");
    frame.set_request_id(100 + i);
    busy.send(frame);
  }
  server.ask_to_stop();
  std::uint64_t answered = 0;
  for (;;) {
    const auto frame = busy.read_frame();
    if (frame.has_goodbye()) break;
    if (frame.has_change()) ++answered;
  }
  const auto goodbye = idle.await_push([](const auto& frame) { return frame.has_goodbye(); }).goodbye();
  CHECK(goodbye.reason() == "draining");
  CHECK(goodbye.retry_after_ms() == 1234);
  CHECK(idle.read_to_end().empty());
  idle.reset();  // or the server waits for two seconds that we close, too
  CHECK(busy.read_to_end().empty());
  busy.reset();
  const auto ended = server.wait_for_end();
  CHECK(ended.exit_code == 0);

  server.start();
  RawClient back(server.port());
  back.hello();
  REQUIRE(back.ask(resume_with(busy.token)).has_session());
  const auto page = back.ask(ask::history(*ConversationId::from_bytes(group), {.from = 0})).history();
  CHECK(page.last_number() >= 1 + answered);
}

TEST_CASE("Process: --check-config says what is wrong, with key and line, and exits 2") {
  const auto good = check_config("listen = \"127.0.0.1:7400\"\n[clients]\nkeepalive_s = 30\n");
  CHECK(good.exit_code == 0);
  const auto unknown = check_config("data = \"./x\"\n[clients]\nkeep_alive = 30\n");
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.err.find("keep_alive") != std::string::npos);
  CHECK(unknown.err.find("3") != std::string::npos);
  const auto beyond = check_config("\n[clients]\nkeepalive_s = 0\n");
  CHECK(beyond.exit_code == 2);
  CHECK(beyond.err.find("keepalive_s") != std::string::npos);
  CHECK(beyond.err.find("5 to 3600") != std::string::npos);
  CHECK(check_config("listen = [").exit_code == 2);
  CHECK(run_program({program("holdfastd"), "--no-such-flag"}).exit_code == 2);
  const auto version = run_program({program("holdfastd"), "--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.out.starts_with("holdfastd "));
}

TEST_CASE("Process: a damaged record in the middle of the log stops the start, with a clear error") {
  ServerProcess server;
  fill_and_kill(server);
  const auto log = newest(server.data() / "log", ".log");
  REQUIRE_FALSE(log.empty());
  flip_byte(log, 0.5);
  const auto ended = server.start_and_fail();
  INFO(ended.err);
  CHECK(ended.exit_code == 1);
  CHECK(ended.err.find("holdfastd: ") != std::string::npos);
  const bool clear = ended.err.find("orrupt") != std::string::npos || ended.err.find("damage") != std::string::npos ||
                     ended.err.find("checksum") != std::string::npos;
  CHECK(clear);
}

TEST_CASE("Process: a torn tail of the log is accepted") {
  ServerProcess server;
  const std::string token = fill_and_kill(server);
  // A record that was being written when the power went: some bytes of a header.
  std::ofstream(newest(server.data() / "log", ".log"), std::ios::app | std::ios::binary) << std::string(3, '\x7f');
  server.start();
  RawClient back(server.port());
  back.hello();
  CHECK(back.ask(resume_with(token)).has_session());
}

TEST_CASE("Process: a damaged table of the log stops the start") {
  ServerProcess server;
  fill_and_kill(server);
  server.start();  // the log is read back and written as a table
  server.kill_hard();
  const auto table = newest(server.data() / "log", ".sst");
  REQUIRE_FALSE(table.empty());
  flip_byte(table, 0.3);
  const auto ended = server.start_and_fail();
  INFO(ended.err);
  CHECK(ended.exit_code == 1);
  CHECK(ended.err.find("holdfastd: ") != std::string::npos);
}

TEST_CASE("Process: another number of partitions than that of the data is refused") {
  ServerProcess server;
  fill_and_kill(server);
  std::ofstream(server.config_file()) << "partitions = 3\n";
  const auto ended = server.start_and_fail();
  CHECK(ended.exit_code == 1);
  CHECK(ended.err.find("partitions = 8") != std::string::npos);
}

TEST_CASE("Process: plain text is refused on an address that is not loopback, TLS is not") {
  const std::string address = outer_address();
  if (address.empty()) {
    WARN("this machine has no address but loopback");
    return;
  }
  ServerProcess server({.host = address});
  RawClient plain(server.port(), {.host = address});
  v1::ClientFrame hello;
  hello.set_request_id(1);
  hello.mutable_hello()->set_protocol_max(1);
  plain.send(hello);
  CHECK(plain.read_last_error().code() == v1::UNSUPPORTED);
  RawClient http(server.port(), {.host = address});
  http.send_bytes("GET /v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  CHECK(http.read_to_end().empty());

  server.stop();
  server.set_config("[clients]\nallow_plaintext = true\n");
  server.start();
  RawClient allowed(server.port(), {.host = address});
  allowed.hello();
}

TEST_CASE("Process: the operator key is its owner's alone, and stays") {
  ServerProcess server;
  struct stat file{};
  REQUIRE(::stat((server.data() / "operator.key").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  REQUIRE(::stat((server.data() / "tls" / "key.pem").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  REQUIRE(::stat(server.data().c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0700);
  const std::string key = server.operator_key(), certificate = contents_of(server.certificate());
  CHECK(key.size() == 64);
  server.stop();
  server.start();
  CHECK(server.operator_key() == key);
  CHECK(contents_of(server.certificate()) == certificate);
  CHECK(server.welcome().find(key) == std::string::npos);
  CHECK(server.log().find(key) == std::string::npos);
}

TEST_CASE("Process: the operators' pages and the users'") {
  ServerProcess& server = shared_server();
  CHECK(http_get(server.admin_port(), "/healthz").status == 200);
  CHECK(http_get(server.admin_port(), "/readyz").status == 200);
  const auto metrics = http_get(server.admin_port(), "/metrics");
  CHECK(metrics.status == 200);
  CHECK(metrics.head.find("text/plain") != std::string::npos);
  CHECK(metrics.body.find("# TYPE ") != std::string::npos);
  CHECK(http_get(server.admin_port(), "/elsewhere").status == 404);
  const auto front = http_get(server.http_port(), "/");
  CHECK(front.status == 200);
  CHECK(front.body.find("Holdfast") != std::string::npos);
  CHECK(front.head.find("text/html") != std::string::npos);
  CHECK(http_get(server.http_port(), "/metrics").status == 404);
}

TEST_CASE("Process: nothing secret is logged") {
  ServerProcess server({.config = "[log]\nlevel = \"debug\"\n"});
  {
    RawClient client(server.port());
    client.register_as(fresh_name("private"));
    const auto group = client.ask(ask::create_group("talk", {})).conversation().conversation_id();
    REQUIRE(client.ask(post_frame(group, "a secret body")).has_change());
  }
  server.stop();
  const std::string log = server.log();
  CHECK(log.find("a secret body") == std::string::npos);
  CHECK(log.find(RawClient::kPassword) == std::string::npos);
  CHECK(log.find("127.0.0.1:") == std::string::npos);
}

}  // namespace holdfast
