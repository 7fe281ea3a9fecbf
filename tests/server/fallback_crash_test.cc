/// E-mail fallback on a whole node under random crashes, judged by its log: what is begun is owed at that entry, what is
/// owed is mailed, and nothing is decided twice.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <set>

#include "server/services/missed_assembly.h"
#include "storage/keys.h"
#include "tests/support/requests.h"
#include "tests/support/sim_world.h"

namespace holdfast {
namespace {

using std::chrono::minutes;
using Found = std::vector<std::string>;

constexpr minutes kDelay{10};

/// A relay that takes mails unless it is down, and counts them by intent.
class Relay final : public services::Outside {
 public:
  std::map<IntentId, std::uint64_t> sent;
  bool is_down = false;

  void begin(chat::Backend& backend, chat::BeginIntent intent, services::IsOurs,
             std::function<void(command::IntentDone)> then) override {
    const IntentId id = intent.id;
    Task<services::Addition> assembling = assemble_(backend, std::move(intent));
    run_task(std::move(assembling), [this, id, then = std::move(then)](const services::Addition& addition) {
      command::IntentDone done;
      if (addition.unwanted)
        done.set_outcome(command::IntentDone::UNWANTED);
      else if (addition.later || is_down)
        done.set_outcome(command::IntentDone::LATER);
      else
        ++sent[id];
      then(done);
    });
  }

 private:
  const services::Assemble assemble_ = services::assemble_missed({.base_url = "https://chat.test"});
};

/// A post of somebody else's in a user's inbox.
struct Post {
  std::uint64_t position, number;
  std::int64_t time_ms;
  bool excused = false;  ///< muted for a while: may be mailed or not
};
/// One user, as the entries of the user's partition tell it.
struct Reader {
  std::uint64_t acknowledged = 0;
  state::Mailbox::Watch watch = state::Mailbox::OFF;
  std::map<std::string, std::vector<Post>> posts;  ///< by conversation
  std::map<std::string, state::ListEntry> list;
  std::map<std::string, state::Mail::Missed> intents;               ///< that are there now
  std::map<std::string, std::vector<state::Mail::Missed>> decided;  ///< all, by conversation

  bool is_owed(const std::string& where, const Post& post) const {
    const state::ListEntry& entry = list.at(where);
    return post.position > acknowledged && post.number > entry.read_number() && !entry.muted() && !entry.left();
  }
  bool is_owed(const state::Mail::Missed& mail) const {
    const auto found = posts.find(mail.conversation());
    if (found == posts.end()) return false;
    for (const Post& post : found->second)
      if (post.position >= mail.first_position() && post.position <= mail.last_position() &&
          is_owed(mail.conversation(), post))
        return true;
    return false;
  }
};

/// Replays the log, and says what is wrong in it.
class Judge {
 public:
  Judge(const std::vector<std::vector<log::Entry>>& archive, const Relay& relay, std::uint64_t deaths)
      : relay_(relay), deaths_(deaths) {
    for (const auto& entries : archive)
      for (const log::Entry& entry : entries) take(entry);
  }

  Found verdict(WallTime now) {
    for (const auto& [id, reader] : readers_) {
      if (reader.watch != state::Mailbox::IDLE) complain("a mailbox still waits for its timer");
      if (!reader.intents.empty()) complain("an intent has not ended");
      for (const auto& [where, posts] : reader.posts)
        for (const Post& post : posts)
          if (!post.excused && from_ms(post.time_ms) + kDelay + minutes(1) < now && reader.is_owed(where, post) &&
              !is_decided(reader, where, post))
            complain("a post that is owed was not mailed");
    }
    for (const auto& [id, times] : relay_.sent) {
      if (!begun_.contains(id)) complain("a mail of an intent that was never begun");
      if (times > 1 + deaths_) complain("a mail more often than crashes explain");
    }
    for (const auto& id : done_)
      if (!relay_.sent.contains(id)) complain("a mail is done that no relay has");
    return std::move(found_);
  }
  std::size_t done() const { return done_.size(); }
  std::size_t unwanted() const { return unwanted_; }

 private:
  void complain(std::string what) { found_.push_back(std::move(what)); }

  static bool is_decided(const Reader& reader, const std::string& where, const Post& post) {
    const auto mails = reader.decided.find(where);
    if (mails == reader.decided.end()) return false;
    for (const auto& mail : mails->second)
      if (post.position >= mail.first_position() && post.position <= mail.last_position()) return true;
    return false;
  }

  void take(const log::Entry& entry) {
    before_ = readers_;
    for (const log::Write& write : entry.writes()) {
      const auto key = keys::decode(write.key());
      if (!key || write.what_case() == log::Write::kRemoveUntil) continue;
      if (key->family == keys::Family::intent) take_intent(*key, write);
      if (!write.has_put()) continue;
      if (key->family == keys::Family::mailbox) take_mailbox(*key, write.put());
      if (key->family == keys::Family::list) take_line(*key, write.put());
      if (key->family == keys::Family::inbox) take_item(*key, write.put());
    }
    for (auto& [id, reader] : readers_)
      for (auto& [where, posts] : reader.posts) excuse_muted(reader, before_[id], where, posts);
    for (const log::Event& event : entry.events()) {
      if (!event.has_intent_ended()) continue;
      const auto id = *IntentId::from_bytes(event.intent_ended().intent());
      if (event.intent_ended().outcome() == log::IntentEnded::DONE && !done_.insert(id).second)
        complain("an intent is done twice");
      unwanted_ += event.intent_ended().outcome() == log::IntentEnded::UNWANTED;
    }
  }
  /// Muted before this entry or behind it: what came in it may have come then.
  static void excuse_muted(Reader& reader, Reader& before, const std::string& where, std::vector<Post>& posts) {
    if (!reader.list[where].muted() && !before.list[where].muted()) return;
    for (Post& post : posts) post.excused = true;
  }
  void take_mailbox(const keys::Decoded& key, const std::string& row) {
    state::Mailbox mailbox;
    HF_CHECK(mailbox.ParseFromString(row), "a stored row parses");
    Reader& reader = readers_[std::string(key.first)];
    for (const auto& cursor : mailbox.cursors()) reader.acknowledged = std::max(reader.acknowledged, cursor.position());
    reader.watch = mailbox.watch();
  }
  void take_line(const keys::Decoded& key, const std::string& row) {
    Reader& reader = readers_[std::string(key.first)];
    HF_CHECK(reader.list[std::string(key.second)].ParseFromString(row), "a stored row parses");
  }
  void take_item(const keys::Decoded& key, const std::string& row) {
    v1::InboxItem item;
    HF_CHECK(item.ParseFromString(row), "a stored row parses");
    const v1::Change& change = item.change();
    auto& posts = readers_[std::string(key.first)].posts[item.conversation_id()];
    if (item.is_post()) posts.push_back({key.number, item.reference(), item.time_ms()});
    if (change.has_posted() && change.author() != key.first)
      posts.push_back({key.number, change.number(), change.time_ms()});
  }
  void take_intent(const keys::Decoded& key, const log::Write& write) {
    Reader& reader = readers_[std::string(key.first)];
    if (!write.has_put()) {
      reader.intents.erase(std::string(key.second));
      return;
    }
    state::Intent intent;
    HF_CHECK(intent.ParseFromString(write.put()), "a stored row parses");
    const state::Mail::Missed& mail = intent.mail().missed();
    const bool is_new = reader.intents.emplace(key.second, mail).second;
    if (is_new) {
      for (const auto& other : reader.decided[mail.conversation()])
        if (mail.first_position() <= other.last_position()) complain("something is decided twice");
      reader.decided[mail.conversation()].push_back(mail);
    }
    // Owed by all that was committed before this entry, at least: what a row becomes later in an entry stands in it once,
    // where the row was put first.
    if (intent.begun() && intent.attempts() == 0) {
      begun_.insert(*IntentId::from_bytes(key.second));
      const bool was_owed = before_[std::string(key.first)].is_owed(mail);
      if (!was_owed && !reader.is_owed(mail)) complain("a mail is begun that is owed no more");
    }
  }

  const Relay& relay_;
  const std::uint64_t deaths_;
  std::map<std::string, Reader> readers_, before_;
  std::set<IntentId> begun_, done_;
  std::size_t unwanted_ = 0;
  Found found_;
};

OneThreadOptions options_of(std::uint64_t seed, Relay& relay) {
  SeededRandom random(seed * 104'729);
  OneThreadOptions options;
  options.seed = seed;
  options.partitions = static_cast<std::uint16_t>(1 + random.below(4));
  options.state_lag = 1 + random.below(20);
  options.flush_every = 20 + random.below(100);
  options.partition.cache_bytes = random.below(2) == 0 ? 0 : 4u << 20;
  options.partition.entry_commands_max = 1 + random.below(8);
  options.partition.feed.entries_max = 1 + random.below(5);
  options.limits.whole_bytes_max = random.below(2) == 0 ? 40 : 1024;
  options.limits.inbox_trim_rows = 2 + random.below(20);
  options.limits.fallback.mails_of_a_day_max = 1'000;
  options.outside = &relay;
  return options;
}

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed), world_(options_of(seed, relay_)) {
    for (const char* name : {"anna", "ben", "cleo"})
      world_.add_client({.username = name, .door = static_cast<std::uint16_t>(random_.below(2))});
    world_.settle();
    verify_addresses();
    open(0, 1);
    open(0, 2);
    const v1::ServerFrame made = world_.ask(world_.client(1), requests::create_group("three", {user(0), user(2)}));
    places_.push_back(made.conversation().conversation_id());
  }

  void run() {
    for (int i = 0; i < 80; ++i) {
      do_something(world_.client(random_.below(world_.clients())));
      for (std::uint64_t steps = random_.below(40); steps > 0; --steps) world_.step();
    }
    relay_.is_down = false;
    world_.node().limit().clear();
    for (std::size_t i = 0; i < world_.clients(); ++i) world_.client(i).leave();
    for (int i = 0; i < 70; ++i) {
      world_.settle();
      world_.node().advance(minutes(1));
    }
    world_.settle();
  }
  Judge judge() { return Judge(world_.node().archive(), relay_, world_.deaths()); }
  WallTime now() { return world_.node().now(); }

 private:
  UserId user(std::size_t i) { return world_.client(i).user(); }
  void open(std::size_t one, std::size_t other) {
    places_.push_back(
        world_.ask(world_.client(one), requests::open_direct(user(other))).conversation().conversation_id());
  }

  void do_something(SimClient& client) {
    const std::string& where = places_[random_.below(places_.size())];
    switch (random_.below(14)) {
      case 0:
      case 1: client.leave(); return;
      case 2: client.come_back(); return;
      case 3: client.ask(requests::mark(where, 1 + random_.below(20))); return;
      case 4: client.ask(requests::mute(where, random_.below(3) == 0)); return;
      case 5: relay_.is_down = random_.below(3) == 0; return;
      case 6: return world_.kill();
      case 7:
        return world_.node().limit().set(1 + random_.below(20),
                                         random_.below(2) == 0 ? WriteLimit::When::before : WriteLimit::When::after);
      case 8:
      case 9:
      case 10: return world_.node().advance(minutes(1 + random_.below(6)));
      default: client.ask(requests::post(where, std::string(1 + random_.below(80), 'x'))); return;
    }
  }

  /// Written below the log, when nothing runs: the way by a mailed link has tests of its own.
  void verify_addresses() {
    world_.on_restart([this] { write_addresses(); });
    for (int tries = 0; !are_verified(); ++tries) {
      HF_CHECK(tries < 200, "the state is flushed now and then");
      world_.node().apply_all();
      world_.kill();
      world_.settle();
      world_.node().advance(std::chrono::seconds(6));
      world_.settle();
    }
    world_.on_restart({});
  }
  void write_addresses() {
    for (std::size_t i = 0; i < world_.clients(); ++i) {
      const std::string account = stored(i, keys::account(user(i))), mailbox = stored(i, keys::mailbox(user(i)));
      MemoryDatabase& state = world_.node().state_database();
      const auto row = state.get(account), box = state.get(mailbox);
      if (!row || !*row || !box || !*box) continue;
      state::Account verified;
      state::Mailbox watching;
      HF_CHECK(verified.ParseFromString(**row) && watching.ParseFromString(**box), "stored rows parse");
      verified.set_email("somebody@inbox.test");
      verified.set_email_verified(true);
      watching.set_watch(state::Mailbox::IDLE);
      const std::string values[] = {verified.SerializeAsString(), watching.SerializeAsString()};
      Batch batch;
      batch.put(account, values[0]);
      batch.put(mailbox, values[1]);
      HF_CHECK(state.write(batch, Durability::synced), "memory can be written");
    }
  }
  bool are_verified() {
    world_.node().apply_all();
    for (std::size_t i = 0; i < world_.clients(); ++i) {
      const auto row = world_.node().state_database().get(stored(i, keys::account(user(i))));
      const auto box = world_.node().state_database().get(stored(i, keys::mailbox(user(i))));
      state::Account account;
      state::Mailbox mailbox;
      if (!row || !*row || !account.ParseFromString(**row) || !account.email_verified()) return false;
      if (!box || !*box || !mailbox.ParseFromString(**box) || mailbox.watch() == state::Mailbox::OFF) return false;
    }
    return true;
  }
  std::string stored(std::size_t i, const std::string& key) {
    return keys::stored(partition_of(user(i), world_.node().options().partitions), key);
  }

  SeededRandom random_;
  Relay relay_;
  SimWorld world_;
  std::vector<std::string> places_;
};

}  // namespace

TEST_CASE("Fallback on a node that crashes: mailed is what is owed, each once, and nothing that was read before") {
  const char* one = std::getenv("HOLDFAST_SEED");
  const char* many = std::getenv("HOLDFAST_SEEDS");
  const std::uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  const std::uint64_t count = one ? 1 : many ? std::strtoull(many, nullptr, 10) : 60;
  std::size_t done = 0, unwanted = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("HOLDFAST_SEED=" << seed);
    Walk walk(seed);
    walk.run();
    Judge judge = walk.judge();
    const Found found = judge.verdict(walk.now());
    INFO((found.empty() ? "" : found.front()));
    CHECK(found.empty());
    done += judge.done();
    unwanted += judge.unwanted();
  }
  if (one) return;
  CHECK(done > count * 2);
  CHECK(unwanted > 0);
}

}  // namespace holdfast
