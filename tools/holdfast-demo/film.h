/// The film: clients chat, a node is killed, another is drained, and every message is checked.
#pragma once

#include <memory>
#include <vector>

#include "clients/cpp/runtime.h"
#include "net/asio.h"
#include "tools/holdfast-demo/cluster.h"
#include "tools/holdfast-demo/options.h"
#include "tools/holdfast-demo/result.h"
#include "tools/holdfast-demo/screen.h"
#include "tools/holdfast-load/pair.h"

namespace holdfast::demo {

/// Owned by main, outlives the loop; on its one thread.
class Film {
 public:
  Film(any_io_executor executor, const Options& options, DemoCluster cluster);

  /// Once. The exit code.
  Awaitable<int> run();

 private:
  using Seconds = std::chrono::duration<double>;
  /// A connection of somebody who chats, at the moment of the kill and after it.
  struct Moved {
    const client::Client* client;
    std::uint64_t resumes_before;
  };

  Awaitable<Status> play();
  Awaitable<Status> prepare();
  Awaitable<Status> wait_until_whole(std::string what);
  Awaitable<void> chat(Seconds time);
  Awaitable<void> send_steadily();
  Awaitable<Status> kill_busiest();
  Awaitable<void> watch_failover(std::int64_t killed_at_ms);
  Awaitable<void> watch_clients(SteadyTime killed_at);
  Awaitable<Status> bring_back();
  Awaitable<Status> drain_another();
  Awaitable<Status> settle_and_check();
  Awaitable<void> pause(std::chrono::milliseconds time);
  template <class Done>
  Awaitable<bool> wait_for_all(Done done, Seconds max);

  const DemoNode& busiest(const std::string& but_not) const;
  std::size_t sessions_at(const DemoNode& node) const;
  std::vector<const client::Client*> clients() const;
  void show_status(const std::string& what);
  void show_result();
  /// False: it could not, and said so.
  bool write_json() const;

  any_io_executor executor_;
  const Options& options_;
  DemoCluster cluster_;
  load::Options load_options_;
  client::ClientRuntime runtime_;
  load::Figures figures_;
  std::vector<std::unique_ptr<load::Pair>> pairs_;
  Screen screen_;
  FilmResult result_;
  bool sending_ = false;
  std::uint64_t acked_shown_ = 0;
  SteadyTime shown_at_{};
  std::vector<Moved> moved_;  ///< of the killed node
};

}  // namespace holdfast::demo
