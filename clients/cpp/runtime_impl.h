/// Inside of ClientRuntime; for the files of this folder.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "clients/cpp/client.h"
#include "net/task_group.h"
#include "net/tls.h"

namespace holdfast::client {

struct ClientRuntime::Impl {
  explicit Impl(boost::asio::any_io_executor executor);
  ~Impl();

  /// tick() of `core` is wanted at `at`; SteadyTime::max(): no more. Replaces what was wanted before.
  void schedule(Client::Core* core, SteadyTime& scheduled, SteadyTime at);
  /// flush() of `core` is wanted at the end of this turn.
  void flush_soon(Client::Core* core);
  /// `core` is going away.
  void forget(Client::Core* core, SteadyTime& scheduled);
  void cancel_soon();
  Result<TlsContext> tls(const Trust& trust);

  void arm();
  void on_timer();
  void on_turn_end();

  SystemRandom random;
  std::array<char, 64 * 1024> read_buffer;  ///< what a native connection reads into, between two waits
  ClientRuntime::Traffic traffic;
  TaskGroup tasks;  ///< one for each connection

 private:
  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  SteadyTime armed_ = SteadyTime::max();
  std::set<std::pair<SteadyTime, Client::Core*>> deadlines_;
  std::vector<Client::Core*> dirty_;
  bool turn_posted_ = false;
  std::map<Trust, TlsContext> contexts_;
  std::shared_ptr<Impl*> self_;  ///< null in handlers once we are gone
};

}  // namespace holdfast::client
