/// Inside of Client: the machine and its driver; for the files of this folder.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "clients/cpp/client.h"
#include "clients/cpp/client_machine.h"
#include "clients/cpp/runtime_impl.h"

namespace holdfast::client {

class Link;

/// Feeds a ClientMachine and does what it wishes.
///
/// Every way in ends with after(): it carries out the machine's wishes at once (they cost little), and leaves writing
/// to the end of the turn.
struct Client::Core {
  Core(ClientRuntime::Impl& shared, ClientOptions client_options, ClientEvents& events, SessionStore* store);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void after();
  void carry_out(ClientMachine::Wish wish);
  static void drop(std::shared_ptr<Link>& which, bool write_first);
  void drop_all(bool write_first);

  // From the runtime.
  void on_deadline(SteadyTime at);
  void on_turn_end();

  // From the link.
  void on_open(const Link& from);
  void on_lost(const Link& from, std::string reason, std::chrono::milliseconds retry_after = {});
  /// False: stop reading, the link was dropped.
  bool on_payload(const Link& from, SteadyTime now, std::string_view payload);
  /// What is to be written on this link.
  std::string& output_of(const Link& link);

  ClientRuntime::Impl& runtime;
  Trust trust;
  std::string source_address;
  std::shared_ptr<ClientTickets> tls_tickets;
  ClientMachine machine;
  std::shared_ptr<Link> link;  ///< the connection made or being made; null between
  std::shared_ptr<Link> next;  ///< the one to a node that the session moves to
  SteadyTime scheduled = SteadyTime::max();
  bool dirty = false;
};

}  // namespace holdfast::client
