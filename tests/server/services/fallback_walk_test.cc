/// Random walks of people, a relay that goes up and down, and crashes, beside a model that says what must be mailed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>

#include "storage/keys.h"
#include "tests/support/requests.h"
#include "tests/support/town.h"

namespace holdfast::services {
namespace {

using std::chrono::minutes;

constexpr minutes kDelay{10};

/// One post, as one of those sees it who are to get it.
struct Message {
  std::string text;
  std::size_t to;
  std::size_t where;
  std::uint64_t number;
  WallTime said;
  bool over = false;    ///< acknowledged, read, or deleted: not to be mailed from now on
  bool unsure = false;  ///< muted for a while: may be mailed or not
  std::size_t mailed = 0;
};

struct Place {
  std::string id;
  std::vector<std::size_t> members;
  std::map<std::size_t, bool> muted;
};

class Walk {
 public:
  /// Every third seed has neither crashes nor a relay that is down: then times are exact.
  explicit Walk(std::uint64_t seed) : random_(seed), is_calm_(seed % 3 == 0) {
    for (std::uint16_t i = 0; i < town_.node.partitions(); ++i)
      town_.node.partition(PartitionId(i)).limits.fallback.mails_of_a_day_max = 1'000;
    for (const char* name : {"anna", "ben", "cleo", "dora"}) people_.push_back(town_.person(name));
    add(town_.talk(people_[0], people_[1]), {0, 1});
    add(town_.talk(people_[0], people_[2]), {0, 2});
    add(town_.group(people_[1], "three", {people_[0], people_[3]}), {0, 1, 3});
    for (std::size_t i = 0; i < people_.size(); ++i) acknowledge(i);
  }

  void step() {
    const std::size_t who = random_.below(people_.size());
    switch (random_.below(12)) {
      case 0: acknowledge(who); break;
      case 1: read(who); break;
      case 2: remove(); break;
      case 3: mute(who); break;
      case 4: town_.carrier.is_down = !is_calm_ && random_.below(3) == 0; break;
      case 5: is_calm_ ? pass(minutes(1)) : crash(); break;
      case 6:
      case 7: pass(minutes(1 + static_cast<int>(random_.below(9)))); break;
      default: say(who);
    }
    take_mails();
  }

  /// The relay is up again, and everything that is owed has been sent.
  void finish() {
    town_.carrier.is_down = false;
    for (int i = 0; i < 20; ++i) pass(minutes(10));
    for (const Message& message : messages_) {
      INFO(message.text << " to " << people_[message.to].name);
      CHECK((message.over || message.unsure || message.mailed >= 1));
    }
    for (const auto& [id, times] : sent_) CHECK(times <= 1 + crashes_);
    for (const Townsman& who : people_) CHECK(town_.mailbox(who).watch() == state::Mailbox::IDLE);
  }
  std::size_t mails() const { return taken_; }

 private:
  void add(std::string id, std::vector<std::size_t> members) {
    places_.push_back({std::move(id), std::move(members), {}});
  }

  void say(std::size_t who) {
    const std::size_t where = random_.below(places_.size());
    Place& place = places_[where];
    if (std::find(place.members.begin(), place.members.end(), who) == place.members.end()) return;
    const std::string text = "message " + std::to_string(said_++);
    const std::uint64_t number = town_.say(people_[who], place.id, text);
    for (const std::size_t to : place.members) {
      if (to == who) {
        end_if([&](const Message& message) { return message.to == who && message.where == where; });
        continue;
      }
      messages_.push_back({text, to, where, number, town_.node.now()});
      messages_.back().unsure = place.muted[to];
    }
  }
  void acknowledge(std::size_t who) {
    town_.acknowledge(people_[who]);
    end_if([&](const Message& message) { return message.to == who; });
  }
  void read(std::size_t who) {
    const std::size_t where = random_.below(places_.size());
    if (messages_.empty()) return;
    const std::uint64_t number = messages_[random_.below(messages_.size())].number;
    if (chat::code_of(town_.ask(people_[who], requests::mark(places_[where].id, number))) != v1::ERROR_UNSPECIFIED)
      return;
    end_if([&](const Message& message) {
      return message.to == who && message.where == where && message.number <= number;
    });
  }
  void remove() {
    if (messages_.empty()) return;
    const Message message = messages_[random_.below(messages_.size())];
    for (const std::size_t who : places_[message.where].members)
      town_.ask(people_[who], requests::remove(places_[message.where].id, message.number));
    end_if([&](const Message& other) { return other.where == message.where && other.number == message.number; });
  }
  void mute(std::size_t who) {
    const std::size_t where = random_.below(places_.size());
    bool& muted = places_[where].muted[who];
    muted = !muted;
    town_.ask(people_[who], requests::mute(places_[where].id, muted));
    for (Message& message : messages_)
      if (message.to == who && message.where == where) message.unsure = true;
  }
  void crash() {
    town_.node.crash(random_.below(25));
    ++crashes_;
    take_mails();
    town_.node.settle();
  }
  void pass(minutes by) {
    for (; by.count() > 0; --by) {
      town_.node.pass(minutes(1));
      take_mails();
    }
    if (town_.carrier.is_down || is_held_up()) return;
    for (const Message& message : messages_) {
      INFO(message.text << " to " << people_[message.to].name);
      const bool is_owed = !message.over && !message.unsure && message.said + kDelay + minutes(1) <= town_.node.now();
      CHECK((!is_owed || message.mailed >= 1));
    }
  }
  /// A mail that the relay refused waits for its next attempt.
  bool is_held_up() {
    for (std::uint16_t i = 0; i < town_.node.partitions(); ++i)
      for (const auto& [key, row] : town_.node.partition(PartitionId(i)).rows)
        if (static_cast<keys::Family>(key.front()) == keys::Family::intent) return true;
    return false;
  }

  template <class Which>
  void end_if(Which which) {
    for (Message& message : messages_)
      if (which(message)) message.over = true;
  }

  void take_mails() {
    for (; taken_ < town_.carrier.sent.size(); ++taken_) {
      const Carrier::Sent& mail = town_.carrier.sent[taken_];
      const bool again = sent_[mail.id]++ > 0;
      bool has_waited = false;
      for (const std::string& text : mail.texts()) {
        Message& message = find(mail.user, text);
        INFO(text << " to " << people_[message.to].name);
        CHECK_FALSE(message.over);
        CHECK((again || message.mailed == 0));
        ++message.mailed;
        has_waited = has_waited || message.said + kDelay <= town_.node.now();
      }
      CHECK((has_waited || !is_calm_));
      CHECK_FALSE(mail.texts().empty());
    }
  }
  Message& find(const UserId& user, const std::string& text) {
    for (Message& message : messages_)
      if (message.text == text && people_[message.to].id == user) return message;
    FAIL("a mail about what was said to somebody: " << text);
    return messages_.front();
  }

  SeededRandom random_;
  const bool is_calm_;
  Town town_;
  std::vector<Townsman> people_;
  std::vector<Place> places_;
  std::vector<Message> messages_;
  std::map<IntentId, std::size_t> sent_;
  std::size_t said_ = 0, taken_ = 0, crashes_ = 0;
};

}  // namespace

TEST_CASE("Fallback: whatever people do and wherever it crashes, what is owed is mailed, and nothing that is over") {
  const char* asked = std::getenv("HOLDFAST_SEEDS");
  const std::uint64_t seeds = asked ? std::strtoull(asked, nullptr, 10) : 60;
  std::size_t mails = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Walk walk(seed);
    for (int i = 0; i < 120; ++i) walk.step();
    walk.finish();
    mails += walk.mails();
  }
  CHECK(mails > seeds * 5);
}

}  // namespace holdfast::services
