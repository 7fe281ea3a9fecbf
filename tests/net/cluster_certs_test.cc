#include "net/cluster_certs.h"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "net/certificates.h"
#include "net/tls.h"
#include "tests/net/loop.h"

namespace holdfast {
namespace {

using namespace testing;

struct Ends {
  error_code client = boost::asio::error::would_block;
  error_code server = boost::asio::error::would_block;
};

/// The server's verdict on the client comes after the client's handshake: what the client learns by reading.
Awaitable<void> shake_and_read(Stream& stream, error_code& result) {
  result = co_await stream.handshake();
  char byte = 0;
  const std::span<char> room(&byte, 1);
  if (!result) {
    const auto read = co_await stream.read_some(room);
    if (read.error != boost::asio::error::eof) result = read.error;
  }
  stream.close();
}

Awaitable<void> shake_and_leave(Stream& stream, error_code& result) {
  result = co_await stream.handshake();
  stream.shutdown();
}

Ends shake_hands(const TlsContext& server, const TlsContext& client) {
  Loop loop;
  auto pair = connected_pair(loop);
  Ends ends;
  REQUIRE(pair.server->start_tls_server(server));
  REQUIRE(pair.client->start_tls_client(client, "127.0.0.1"));
  loop.spawn(shake_and_leave(*pair.server, ends.server));
  loop.spawn(shake_and_read(*pair.client, ends.client));
  loop.run();
  return ends;
}

MutualTlsFiles files_of(const std::string& directory, const std::string& node) {
  const auto own = node_certificate_files(directory, node);
  return {own.certificate, own.key, cluster_ca_files(directory).certificate};
}

TlsContext server_of(const MutualTlsFiles& files) {
  auto context = TlsContext::mutual_server(files);
  REQUIRE(context);
  return *context;
}

TlsContext client_of(const MutualTlsFiles& files) {
  auto context = TlsContext::mutual_client(files);
  REQUIRE(context);
  return *context;
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("Cluster certificates: two nodes of one authority believe each other, whatever their addresses") {
  TempFolder folder;
  const auto directory = folder.file("certs");
  REQUIRE(make_cluster_ca(directory));
  REQUIRE(make_node_certificate(directory, "n1", {"node-1.example.org"}));
  REQUIRE(make_node_certificate(directory, "n2", {"10.0.0.2", "fd00::2"}));
  const auto ends = shake_hands(server_of(files_of(directory, "n1")), client_of(files_of(directory, "n2")));
  INFO(ends.client.message() << "; " << ends.server.message());
  REQUIRE(!ends.client);
  REQUIRE(!ends.server);
}

TEST_CASE("Cluster certificates: another authority's node is refused by either end, and one without a certificate") {
  TempFolder folder;
  const auto ours = folder.file("ours");
  const auto theirs = folder.file("theirs");
  for (const auto& directory : {ours, theirs}) {
    REQUIRE(make_cluster_ca(directory));
    REQUIRE(make_node_certificate(directory, "n", {"127.0.0.1"}));
  }
  const auto refused_there = shake_hands(server_of(files_of(theirs, "n")), client_of(files_of(ours, "n")));
  REQUIRE(refused_there.client.category() == certificate_category());
  // Someone who believes us, but whom we don't.
  auto stranger = files_of(theirs, "n");
  stranger.ca = cluster_ca_files(ours).certificate;
  const auto refused_here = shake_hands(server_of(files_of(ours, "n")), client_of(stranger));
  REQUIRE(refused_here.server.category() == certificate_category());
  REQUIRE(refused_here.client);
  auto nobody = TlsContext::client({.ca_file = stranger.ca, .pinned_fingerprint = {}, .insecure = false});
  REQUIRE(nobody);
  REQUIRE(shake_hands(server_of(files_of(ours, "n")), *nobody).server);
}

TEST_CASE("Cluster certificates: keys are their owner's alone, and an authority is never replaced") {
  TempFolder folder;
  const auto directory = folder.file("certs");
  REQUIRE(make_cluster_ca(directory));
  REQUIRE(make_node_certificate(directory, "n1", {"localhost"}));
  for (const auto& key : {cluster_ca_files(directory).key, node_certificate_files(directory, "n1").key}) {
    struct stat info{};
    REQUIRE(::stat(key.c_str(), &info) == 0);
    REQUIRE((info.st_mode & 0777) == 0600);
  }
  const auto before = content(cluster_ca_files(directory).key);
  REQUIRE(make_cluster_ca(directory).error().code == Errc::already_exists);
  REQUIRE(content(cluster_ca_files(directory).key) == before);
  const auto first = content(node_certificate_files(directory, "n1").certificate);
  REQUIRE(make_node_certificate(directory, "n1", {"localhost"}));
  REQUIRE(content(node_certificate_files(directory, "n1").certificate) != first);
}

TEST_CASE("Cluster certificates: no authority, another one's key, bad names and bad hosts are told apart") {
  TempFolder folder;
  const auto directory = folder.file("certs");
  const auto code = [&directory](const std::string& node, const std::vector<std::string>& hosts) {
    return make_node_certificate(directory, node, hosts).error().code;
  };
  REQUIRE(code("n1", {"localhost"}) == Errc::not_found);
  REQUIRE(make_cluster_ca(directory));
  for (const std::string name : {"", "ca", "../n1", ".n1", "a b"}) {
    REQUIRE(code(name, {"localhost"}) == Errc::invalid_argument);
  }
  REQUIRE(code("n1", {}) == Errc::invalid_argument);
  REQUIRE(code("n1", {"a,DNS:b"}) == Errc::invalid_argument);
  const auto other = folder.file("other");
  REQUIRE(make_cluster_ca(other));
  std::filesystem::copy_file(cluster_ca_files(other).key, cluster_ca_files(directory).key,
                             std::filesystem::copy_options::overwrite_existing);
  auto mixed = make_node_certificate(directory, "n1", {"localhost"});
  REQUIRE(mixed.error().code == Errc::invalid_argument);
  REQUIRE(mixed.error().message.find("ca.key") != std::string::npos);
  auto missing = TlsContext::mutual_server(files_of(directory, "n9"));
  REQUIRE(missing.error().code == Errc::not_found);
}

}  // namespace
}  // namespace holdfast
