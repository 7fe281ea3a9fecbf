#include <catch2/catch.hpp>

#include "tests/integration/story.h"
#include "tests/support/cluster_process.h"

namespace holdfast::testing {

TEST_CASE("Story: missed messages come by mail, mails are answered, a forgotten password is replaced") {
  if (!can_run_postfix() || !can_run_browser()) return;
  MailRoom mails(1);
  ServerProcess server({.config = mails.config(0)});
  Stage stage(server);
  Story({.mails = mails,
         .stage = stage,
         .http_port = [&] { return server.http_port(); },
         .between = [](const UserId&) {}})
      .tell();
}

TEST_CASE("Story: the same with three nodes, of which the user's primary is killed in the middle of each step") {
  if (!can_run_postfix() || !can_run_browser()) return;
  MailRoom mails(3);
  ClusterProcess cluster({.node_config = [&](unsigned node) { return mails.config(node); }});
  Stage stage(cluster.ports(), [&] { return cluster.logs() + "---- Postfix\n" + mails.postfix().log(); });
  std::optional<unsigned> killed;
  const auto up = [&]() -> unsigned {
    for (unsigned i = 0; i < cluster.size(); ++i)
      if (cluster.node(i).is_running()) return i;
    return 0;
  };
  Story({.mails = mails,
         .stage = stage,
         .http_port = [&] { return cluster.node(up()).http_port(); },
         .between =
             [&](const UserId& anna) {
               killed = cluster.primary_of(partition_of(anna, 8));
               cluster.node(*killed).kill_hard();
             },
         .after =
             [&] {
               cluster.node(*killed).start();
               cluster.await_in_sync(3);
             },
         .kills = true})
      .tell();
}

}  // namespace holdfast::testing
