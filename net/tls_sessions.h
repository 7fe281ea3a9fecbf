/// Session tickets on the connecting side: a client that comes back shakes hands for less.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace holdfast {

/// The latest ticket of each server, as one device has them. Shared by its connections; any thread.
/// Bound: `servers_max` servers, beyond that one is forgotten; with 0 nothing is kept. A ticket takes some 2 KB, and the
/// server's certificate.
class ClientTickets {
 public:
  explicit ClientTickets(std::size_t servers_max);
  ~ClientTickets();
  ClientTickets(const ClientTickets&) = delete;
  ClientTickets& operator=(const ClientTickets&) = delete;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// ---- for net/ itself

/// Makes connections of the context hand over the tickets that come.
void take_client_tickets(ssl_ctx_st* context);

/// Offers the kept ticket of this server, and keeps there what the server sends on this connection. Without one it offers
/// that of another server, if that one's certificate is good for this name too (RFC 8446, 4.6.1), or names are not
/// checked: the nodes of a cluster open each other's. A ticket is offered once (C.4). Before the handshake, on a
/// connection of such a context.
void offer_kept_session(ssl_st* connection, const std::string& server_name, bool checks_names,
                        std::shared_ptr<ClientTickets> tickets);

}  // namespace holdfast
