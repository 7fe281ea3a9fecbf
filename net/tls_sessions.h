/// Session tickets on the connecting side: a client that comes back shakes hands for less. For net/ itself.
#pragma once

#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace holdfast {

/// Makes the context keep the latest ticket of each server. The tickets live and die with the SSL_CTX; any thread.
/// Bound: 64 servers, beyond that one is forgotten.
void keep_client_sessions(ssl_ctx_st* context);

/// Offers the kept ticket of this server, and keeps what the server sends on this connection. Without one it offers that
/// of another server, if that one's certificate is good for this name too (RFC 8446, 4.6.1), or names are not checked:
/// the nodes of a cluster open each other's. A ticket is offered once (C.4). Before the handshake, on a connection of
/// such a context.
void offer_kept_session(ssl_st* connection, const std::string& server_name, bool checks_names);

}  // namespace holdfast
