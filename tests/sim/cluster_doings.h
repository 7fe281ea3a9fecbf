/// What people do in a simulated cluster: a few conversations, and mostly posts.
///
/// Owned by a run. It asks; whether there is an answer is the clients' matter.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/cluster_world.h"

namespace holdfast::sim {

class Doings {
 public:
  Doings(ClusterWorld& world, std::uint64_t seed);
  /// Somebody does something.
  void one();
  /// Who went away comes back.
  void everybody_comes_back();
  std::uint64_t posts() const { return posts_; }

 private:
  void learn_conversations();
  void one_of_app(App& app);
  UserId anybody();
  void ask_for_conversation(SimClient& client, v1::ClientFrame frame);

  ClusterWorld& world_;
  SeededRandom random_;
  std::vector<std::string> conversations_;
  std::vector<std::pair<SimClient*, std::size_t>> opening_;
  std::uint64_t posts_ = 0;
};

}  // namespace holdfast::sim
