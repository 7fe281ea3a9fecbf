/// People on the nodes of a cluster who talk in pairs while things break, and the checks of what came of it.
///
/// For tests only: what does not happen within Stage's patience fails the test. One thread.
#pragma once

#include <memory>
#include <vector>

#include "tests/integration/person.h"
#include "tests/support/cluster_process.h"

namespace holdfast::testing {

/// Pairs of people: the two of a pair are on different nodes, and every node has some of them.
class Crowd {
 public:
  /// Registers two people for each node there is now.
  explicit Crowd(ClusterProcess& cluster, unsigned pairs = 0);

  Stage& stage() { return stage_; }
  std::size_t size() const { return people_.size(); }
  Person& person(std::size_t i) { return *people_.at(i); }
  /// Everybody says as many things to the other of the pair, without waiting.
  void talk(std::size_t times);
  /// Turns the loop until so many more were acknowledged than were at the call.
  void until_acknowledged(std::size_t more);
  std::size_t acknowledged() const;
  /// Turns the loop until a part of what was said, from where the last call stood, is acknowledged: 0.3 is a third or so.
  void until_said(double part);

  /// Everything said is acknowledged and was heard by both of its pair, in one order, once, and nobody needed a password.
  void check_all_came();
  /// How often people's clients resumed, all together.
  std::uint64_t resumes();
  /// How many are connected to the node with this port.
  std::size_t at(std::uint16_t port);

 private:
  struct Pair {
    Person *a, *b;
    ConversationId conversation;
  };
  Stage stage_;
  std::vector<std::unique_ptr<Person>> people_;
  std::vector<Pair> pairs_;
  std::size_t each_said_ = 0;
};

}  // namespace holdfast::testing
