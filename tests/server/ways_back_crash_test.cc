/// Two people use one link to set a password, and the node is crashed at every write: one of them wins, and no other mail
/// comes of it.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>

#include "server/chat/mail_key.h"
#include "server/chat/placement.h"
#include "server/services/link_token.h"
#include "server/services/secret_links.h"
#include "tests/support/requests.h"
#include "tests/support/sim_world.h"

namespace holdfast {
namespace {

using services::LinkToken;

/// Sends every mail at once, and remembers which.
class Post final : public services::Outside {
 public:
  void begin(chat::Backend& backend, chat::BeginIntent intent, services::IsOurs,
             std::function<void(command::IntentDone)> then) override {
    const state::Mail& mail = intent.intent.mail();
    ++begun_[mail.template_()][intent.id];
    const char* purpose = mail.link() == state::Mail::RESET ? "reset" : "verify";
    tokens_[mail.template_()] = LinkToken{intent.user, intent.id, backend.mail_key().secret(purpose, intent.id)}.str();
    then({});
  }
  std::size_t mails(const std::string& name) const { return begun_.contains(name) ? begun_.at(name).size() : 0; }
  /// How often mails of this template were sent; more than mails(): some were sent again.
  std::size_t times(const std::string& name) const {
    std::size_t all = 0;
    if (const auto of = begun_.find(name); of != begun_.end())
      for (const auto& [id, count] : of->second) all += count;
    return all;
  }
  const std::string& token(const std::string& name) { return tokens_[name]; }

 private:
  std::map<std::string, std::map<IntentId, std::size_t>> begun_;
  std::map<std::string, std::string> tokens_;
};

/// Asks until there is an answer that stands, whatever dies under it.
class Asker {
 public:
  using Start = std::function<Task<v1::ServerFrame>(chat::Backend&)>;
  Asker(std::uint16_t door, Start start) : door_(door), start_(std::move(start)) {}

  void pump(SimWorld& world) {
    if (answer_ || !world.node().is_running()) return;
    if (under_way_ && deaths_ == world.deaths()) return;
    under_way_ = true;
    deaths_ = world.deaths();
    run_task(start_(world.node().backend(door_)), [this](v1::ServerFrame frame) {
      under_way_ = false;
      if (frame.error().code() < v1::RATE_LIMITED) answer_ = std::move(frame);
    });
  }
  const std::optional<v1::ServerFrame>& answer() const { return answer_; }
  bool won() const { return answer_ && !answer_->has_error(); }

 private:
  std::uint16_t door_;
  Start start_;
  bool under_way_ = false;
  std::uint64_t deaths_ = 0;
  std::optional<v1::ServerFrame> answer_;
};

Asker::Start using_link(const std::string& token, const std::string& password) {
  return [token, password](chat::Backend& backend) { return services::use_reset_link(backend, token, {password, ""}); };
}

Task<v1::ServerFrame> hash_of(chat::Backend& backend) {
  command::Command begin;
  begin.mutable_begin_login()->set_username("anna");
  const PartitionId home = chat::partition_of_name("anna", backend.partitions());
  const command::Answer answer = co_await backend.asking(home, std::move(begin));
  v1::ServerFrame frame = answer.frame();
  if (!frame.has_error()) frame.mutable_user()->set_username(answer.login_state().password_hash());
  co_return frame;
}

v1::ClientFrame address(const std::string& email) {
  v1::ClientFrame frame;
  frame.mutable_set_email()->set_password("correct horse");
  frame.mutable_set_email()->set_email(email);
  return frame;
}

void run(SimWorld& world, std::initializer_list<Asker*> askers) {
  world.run_until([&] {
    bool all = true;
    for (Asker* asker : askers) {
      asker->pump(world);
      all = all && asker->answer().has_value();
    }
    return all;
  });
}

/// The whole way, the node dying at its `crash_at`-th write after the link was mailed. How many writes there are.
std::uint64_t play(std::uint64_t seed, std::uint64_t crash_at, WriteLimit::When when) {
  Post post;
  OneThreadOptions options;
  options.seed = seed;
  options.outside = &post;
  SimWorld world(options);
  SimClient& phone = world.add_client({.username = "anna"});
  world.settle();
  SimClient& tablet = world.add_client({.username = "anna", .device = "tablet", .door = 1, .registers = false});
  world.settle();
  CHECK_FALSE(world.ask(phone, address("anna@inbox.test")).has_error());
  world.run_until([&] { return post.mails("verify_address") == 1; });
  Asker verifying(0, [&](chat::Backend& backend) {
    return services::use_verification_link(backend, post.token("verify_address"));
  });
  run(world, {&verifying});
  CHECK(verifying.won());
  services::ask_for_reset(world.node().backend(1), {.username = "anna", .email = "", .peer = ""});
  world.run_until([&] { return post.mails("password_reset") == 1; });
  world.settle();

  world.node().limit().set(crash_at, when);
  const std::string& token = post.token("password_reset");
  Asker one(0, using_link(token, "battery staple")), two(1, using_link(token, "horse battery"));
  run(world, {&one, &two});
  world.run_until([&] { return phone.ended() && tablet.ended() && post.mails("password_changed") > 0; });
  world.settle();
  const std::uint64_t writes = world.node().limit().count();
  world.node().limit().clear();

  Asker looking(0, hash_of);
  run(world, {&looking});
  const std::string hash = looking.answer()->user().username();
  CHECK((hash == "hash of battery staple" || hash == "hash of horse battery"));
  // Who won and never heard of it, since the node died, is told that the link is used: no more than that.
  CHECK_FALSE((one.won() && two.won()));
  if (one.won()) CHECK(hash == "hash of battery staple");
  if (two.won()) CHECK(hash == "hash of horse battery");
  if (world.deaths() == 0) CHECK((one.won() || two.won()));
  CHECK(post.mails("password_changed") == 1);
  CHECK(post.mails("password_reset") == 1);
  CHECK(post.mails("verify_address") == 1);
  // Once more only where the node died between the sending and the note of it, and it died once at most.
  std::size_t again = 0;
  for (const char* name : {"password_reset", "verify_address", "password_changed"})
    again += post.times(name) - post.mails(name);
  CHECK(again <= (crash_at == WriteLimit::kNone ? 0u : 1u));
  CHECK(world.verdict() == std::vector<std::string>{});
  return writes;
}

std::uint64_t stride() {
  const char* every = std::getenv("HOLDFAST_CRASH_EVERY");
  return every ? std::max<std::uint64_t>(1, std::strtoull(every, nullptr, 10)) : 1;
}

}  // namespace

TEST_CASE("A reset's link used by two at once: one wins, in whatever order things happen") {
  for (std::uint64_t seed = 1; seed <= 60; seed += stride()) {
    INFO("seed " << seed);
    play(seed, WriteLimit::kNone, WriteLimit::When::before);
  }
}

TEST_CASE("A reset's link used by two at once, and a crash at every write: one wins, and is told of by one mail") {
  for (const auto when : {WriteLimit::When::before, WriteLimit::When::after}) {
    const std::uint64_t seed = when == WriteLimit::When::before ? 7 : 8;
    const std::uint64_t writes = play(seed, WriteLimit::kNone, when);
    REQUIRE(writes > 3);
    for (std::uint64_t n = 1; n <= writes; n += stride()) {
      INFO("write " << n << " of " << writes);
      play(seed, n, when);
    }
  }
}

}  // namespace holdfast
