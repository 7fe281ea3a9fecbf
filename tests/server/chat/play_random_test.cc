#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/server/chat/play.h"

using namespace holdfast;
using namespace holdfast::chat;
using namespace std::chrono_literals;

namespace {

/// Four people, a direct conversation and a group, and whatever they may do in any order.
class Scene {
 public:
  explicit Scene(std::uint64_t seed) : random_(seed) {
    play_.stage.limits.large_group_above = 100;
    people_ = play_.people(4);
    talk_ = play_.open(people_[0], people_[1]);
    club_ = play_.group(people_[0], {people_[1], people_[2]});
  }

  void step() {
    play_.stage.now += 1s;
    const Person& who = people_[random_.below(4)];
    const Person& whom = people_[random_.below(4)];
    const ConversationId where = random_.below(2) == 0 ? talk_ : club_;
    const std::uint64_t number = 1 + random_.below(play_.row(where).last_number());
    switch (random_.below(12)) {
      case 0: play_.add(who, club_, {whom}); break;
      case 1: play_.remove(who, club_, whom); break;
      case 2: play_.leave(who, club_); break;
      case 3: play_.set_role(who, club_, whom, random_.below(2) == 0 ? v1::ADMIN : v1::OWNER); break;
      case 4: play_.edit(who, where, number, "edited"); break;
      case 5: play_.erase(who, where, number); break;
      case 6: play_.react(who, where, number, "+1", random_.below(2) == 0); break;
      case 7: play_.mark(who, where, number, number); break;
      case 8: play_.block(people_[random_.below(2)], people_[random_.below(2)], random_.below(2) == 0); break;
      default: play_.post(who, where, "said", play_.stage.fresh_id());
    }
  }

  /// The inbox has exactly what the history shows, in its order; the unread count is what one counts by hand.
  void check() {
    for (const ConversationId& where : {talk_, club_}) {
      play_.check_sequence(where);
      for (const Person& who : people_) check(who, where);
    }
  }

 private:
  void check(const Person& who, const ConversationId& where) {
    std::vector<std::uint64_t> delivered;
    for (const auto& item : play_.inbox(who)) {
      if (item.conversation_id() == where.bytes()) delivered.push_back(item.change().number());
    }
    const auto history = play_.history(who, where);
    CHECK(delivered == numbers_of(history));
    const auto line = play_.line(who, where);
    if (line.conversation_id().empty()) return;
    const auto entry = play_.stage.stored<state::ListEntry>(keys::list(who.id, where)).value();
    std::uint64_t unread = 0;
    for (const auto& change : history.history().changes()) {
      const auto stored = play_.change(where, change.number());
      if (!stored.has_posted() || stored.author() == who.id.bytes() || change.number() <= line.read_number()) continue;
      unread += is_hidden(entry, change.number()) ? 0 : 1;
    }
    CHECK(line.unread() == unread);
    CHECK(line.last_number() == history.history().last_number());
    if (where == club_) {
      const auto member = play_.stage.stored<state::MemberRow>(keys::member(where, who.id)).value();
      CHECK(line.left() == (member.intervals().rbegin()->left() != 0));
      if (!line.left()) CHECK(line.role() == member.role());
    }
  }

  static bool is_hidden(const state::ListEntry& entry, std::uint64_t number) {
    for (const auto& hidden : entry.hidden())
      if (hidden.from() <= number && (hidden.to() == 0 || number < hidden.to())) return true;
    return false;
  }

  Play play_;
  SeededRandom random_;
  std::vector<Person> people_;
  ConversationId talk_;
  ConversationId club_;
};

}  // namespace

TEST_CASE("Whatever people do in whatever order: inbox, history, list and unread counts agree") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Scene scene(seed);
    for (int i = 0; i < 120; ++i) scene.step();
    scene.check();
  }
}
