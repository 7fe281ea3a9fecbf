/// Who is not let in, and what is said about it.
#include <filesystem>

#include "net/cluster_certs.h"
#include "tests/failover/io/peer_world.h"

namespace holdfast::failover {
namespace {

using namespace testing;

/// `wrong` dials a right one; both know why it came to nothing, and no link is up.
void refused(const Node::Change& wrong, std::uint32_t node, const std::string& why) {
  World world;
  Node right(world, 1);
  Node other(world, node, 'a', wrong);
  other.dial({{node == 1 ? 3 : 1, right.address()}});
  INFO(why);
  REQUIRE(other.was_refused(why));
  REQUIRE(right.was_refused(why));
  REQUIRE(other.events.empty());
  REQUIRE(right.links().figures().refused >= 1);
  REQUIRE_FALSE(other.links().send(NodeId(1), answer_frame(1)));
}

TEST_CASE("PeerLinks: another cluster, partition count, clock and a node id in use are refused, and both ends know") {
  refused([](PeerLinksOptions& o) { o.own.set_cluster("another"); }, 2, "node 2 has another");
  refused([](PeerLinksOptions& o) { o.own.set_partitions(128); }, 2, "node 2 has 128, node 1 has 64");
  refused([](PeerLinksOptions& o) { o.clock = [] { return from_ms(1'000'010'001); }; }, 2, "1000010001 ms");
  refused([](PeerLinksOptions& o) { o.clock = [] { return from_ms(999'989'999); }; }, 2, "1000000000 ms");
  refused({}, 1, "node id 1 is in use");
}

TEST_CASE(
    "PeerLinks: a newcomer that can be dialled where it says is greeted, and no link comes of the dialling back") {
  World world;
  Node member(world, 1);
  Node newcomer(world, 9);
  newcomer.links().ask_to_be_dialled(newcomer.address().str());
  newcomer.dial({{1, member.address()}});
  REQUIRE(newcomer.sees("up 1 a"));
  CHECK(newcomer.reasons.empty());
  CHECK(member.reasons.empty());
  CHECK(member.events.empty());
}

TEST_CASE("PeerLinks: a newcomer that nobody can dial where it says is refused, and hears why") {
  const auto refused_at = [](const std::function<std::string(World&, Node & member)>& address, const std::string& why) {
    World world;
    Node member(world, 1);
    Node newcomer(world, 9);
    const std::string where = address(world, member);
    newcomer.links().ask_to_be_dialled(where);
    newcomer.dial({{1, member.address()}});
    INFO(why);
    REQUIRE(newcomer.was_refused(why));
    CHECK(newcomer.was_refused("set cluster.peer_address"));
    CHECK(newcomer.events.empty());
    CHECK(member.was_refused(why));
  };
  INFO("nobody listens there");
  std::string nowhere;
  {
    World world;
    nowhere = Node(world, 5).address().str();
  }
  refused_at([&](World&, Node&) { return nowhere; },
             "its peer_address " + nowhere + " can't be reached from node 1: can't connect to " + nowhere);
  INFO("a name that nobody knows, and none at all");
  refused_at([](World&, Node&) { return "nobody.invalid:7410"; },
             "its peer_address nobody.invalid:7410 can't be reached from node 1: ");
  refused_at([](World&, Node&) { return "n4"; }, "its peer_address is of no use: ");
  INFO("it leads back to whoever dials it");
  refused_at([](World&, Node& member) { return member.address().str(); },
             "can't be reached from node 1: who answers there says: node id 1 is in use");
}

TEST_CASE("PeerLinks: a newcomer at whose address another one answers is refused") {
  World world;
  Node member(world, 1), other(world, 8, 'b'), newcomer(world, 9, 'c');
  newcomer.links().ask_to_be_dialled(other.address().str());
  newcomer.dial({{1, member.address()}});
  REQUIRE(newcomer.was_refused("another process answers there"));
  CHECK(newcomer.events.empty());
}

TEST_CASE("PeerLinks: a clock that is ten seconds off is good enough") {
  World world;
  Node one(world, 1);
  Node two(world, 2, 'a', [](PeerLinksOptions& o) { o.clock = [] { return from_ms(1'000'010'000); }; });
  two.dial({{1, one.address()}});
  REQUIRE(two.sees("up 1 a"));
}

TEST_CASE("PeerLinks: another node than the one expected at an address is refused, and both ends know") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  one.dial({{3, two.address()}});
  REQUIRE(one.was_refused("node 3 was expected at this address, and node 2 answers"));
  REQUIRE(two.was_refused("node 3 was expected"));
  REQUIRE(one.events.empty());
}

TEST_CASE("PeerLinks: a second process with the id of a node that is connected is refused, not the first") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  Node copy(world, 2, 'c');
  two.dial({{1, one.address()}});
  REQUIRE(two.sees("up 1 a"));
  copy.dial({{1, one.address()}});
  REQUIRE(copy.was_refused("node id 2 is in use"));
  REQUIRE(two.links().send(NodeId(1), answer_frame(1)));
  REQUIRE(world.until([&] { return one.frames.size() == 1; }));
  two.end();
  REQUIRE(copy.sees("up 1 a"));
}

TEST_CASE("PeerLinks: another protocol, and a Hello without ids, are refused with a reason") {
  World world;
  Node one(world, 1);
  auto hello = hello_of(2);
  hello.set_protocol(2);
  hello.set_version("9.0\n\"x\"");
  auto newer = Raw::to(world, one.port());
  newer.write_hello(hello);
  REQUIRE(newer.gets_frames(world, 1));
  REQUIRE(newer.frames[0]->refused().reason().find("node 2 has 2 (version 9.0??x?), node 1 has 1") !=
          std::string::npos);
  hello = hello_of(2);
  hello.set_boot_id("short");
  auto nameless = Raw::to(world, one.port());
  nameless.write_hello(hello);
  REQUIRE(nameless.gets_frames(world, 1));
  REQUIRE(nameless.frames[0]->refused().reason().find("boot id") != std::string::npos);
  REQUIRE(nameless.ends(world));
}

TEST_CASE("PeerLinks: garbage closes the connection, before the Hello and behind it, and others go on") {
  World world;
  Node one(world, 1);
  Node two(world, 2);
  two.dial({{1, one.address()}});
  REQUIRE(two.sees("up 1 a"));
  for (const std::string& garbage : {std::string(200, 'g'), std::string(8, '\0'), std::string("\0\0\0\2\xff\xff", 6)}) {
    auto raw = Raw::to(world, one.port());
    raw.write(garbage);
    REQUIRE(raw.ends(world));
    auto known = Raw::to(world, one.port());
    known.write_hello(hello_of(3));
    REQUIRE(known.gets_frames(world, 1));
    known.write(garbage);
    REQUIRE(known.ends(world));
  }
  auto twice = Raw::to(world, one.port());
  twice.write_hello(hello_of(3));
  REQUIRE(twice.gets_frames(world, 1));
  twice.write_hello(hello_of(3));
  REQUIRE(twice.ends(world));
  auto mute = Raw::to(world, one.port());
  mute.write(beat_frame(1));
  REQUIRE(mute.ends(world));
  REQUIRE(one.links().figures().garbage == 8);
  REQUIRE(one.frames.empty());
  REQUIRE(two.links().send(NodeId(1), answer_frame(1)));
  REQUIRE(world.until([&] { return one.frames.size() == 1; }));
}

TEST_CASE("PeerLinks: frames on a connection where none are due close it") {
  World world;
  Node one(world, 1);
  RawPeer two(world);
  one.dial({{2, two.address()}});
  auto raw = two.greet(hello_of(2));
  REQUIRE(one.sees("up 2 a"));
  raw.write(beat_frame(1));
  REQUIRE(one.sees("down 2 closed"));
  REQUIRE(one.links().figures().garbage == 1);
}

/// A folder with two authorities, and a certificate of each for n1 and n2.
struct Certificates {
  Certificates() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    for (const auto& authority : {ours(), theirs()}) {
      REQUIRE(make_cluster_ca(authority));
      for (const auto* node : {"n1", "n2"}) REQUIRE(make_node_certificate(authority, node, {"127.0.0.1"}));
    }
  }
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string ours() const { return folder + "/ours"; }
  std::string theirs() const { return folder + "/theirs"; }

  Node::Change use(const std::string& own, const std::string& node, const std::string& trusted) const {
    const auto files = node_certificate_files(own, node);
    const MutualTlsFiles all{files.certificate, files.key, cluster_ca_files(trusted).certificate};
    return [all](PeerLinksOptions& options) {
      auto server = TlsContext::mutual_server(all);
      auto client = TlsContext::mutual_client(all);
      REQUIRE(server);
      REQUIRE(client);
      options.tls_server = *server;
      options.tls_client = *client;
    };
  }
  std::string folder;
};

TEST_CASE("PeerLinks: over mutual TLS everything is as without, and a large transfer comes whole") {
  const Certificates certificates;
  World world;
  Node one(world, 1, 'a', certificates.use(certificates.ours(), "n1", certificates.ours()));
  auto two = std::make_unique<Node>(world, 2, 'a', certificates.use(certificates.ours(), "n2", certificates.ours()));
  one.dial({{2, two->address()}});
  two->dial({{1, one.address()}});
  REQUIRE(one.sees("up 2 a"));
  REQUIRE(two->sees("up 1 a"));
  for (std::uint64_t i = 0; i < 30; ++i) {
    REQUIRE(one.links().send(NodeId(2), bulk_frame(1'000'000)));
    REQUIRE(two->links().send(NodeId(1), answer_frame(i)));
  }
  REQUIRE(one.links().send(NodeId(2), beat_frame(1)));
  REQUIRE(world.until([&] { return one.frames.size() == 30 && two->frames.size() == 31; }));
  REQUIRE_FALSE(two->frames.back().second->has_beat());
  for (std::uint64_t i = 0; i < 30; ++i) REQUIRE(one.frames[i].second->answer().id() == i);
  two.reset();
  REQUIRE(one.sees("down 2 closed"));
  REQUIRE(one.sees("down 2 refused"));
}

TEST_CASE("PeerLinks: a certificate of another authority is refused by whoever sees it, and both ends know") {
  const Certificates certificates;
  World world;
  Node one(world, 1, 'a', certificates.use(certificates.ours(), "n1", certificates.ours()));
  Node stranger(world, 2, 'a', certificates.use(certificates.theirs(), "n2", certificates.theirs()));
  one.dial({{2, stranger.address()}});
  REQUIRE(one.was_refused("the certificate is refused"));
  REQUIRE(stranger.was_refused("TLS failed"));
  // One that believes us, and that we don't believe.
  Node sly(world, 3, 'a', certificates.use(certificates.theirs(), "n2", certificates.ours()));
  sly.dial({{1, one.address()}});
  REQUIRE(sly.was_refused("the peer refused our certificate"));
  REQUIRE(one.was_refused("the certificate is refused"));
  REQUIRE(one.events.empty());
  REQUIRE(sly.events.empty());
}

TEST_CASE("PeerLinks: TLS at one end only comes to nothing, and the log says so") {
  const Certificates certificates;
  World world;
  Node plain(world, 1);
  Node secure(world, 2, 'a', certificates.use(certificates.ours(), "n1", certificates.ours()));
  secure.dial({{1, plain.address()}});
  REQUIRE(world.until([&] { return plain.links().figures().garbage > 0; }));
  plain.dial({{2, secure.address()}});
  REQUIRE(secure.was_refused("TLS failed"));
  REQUIRE(plain.events.empty());
  REQUIRE(secure.events.empty());
}

}  // namespace
}  // namespace holdfast::failover
