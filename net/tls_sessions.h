/// Session tickets on the connecting side: a client that comes back shakes hands for less. For net/ itself.
#pragma once

#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace holdfast {

/// Makes the context keep the latest ticket of each server. The tickets live and die with the SSL_CTX; any thread.
/// Bound: 64 servers, beyond that one is forgotten.
void keep_client_sessions(ssl_ctx_st* context);

/// Offers the kept ticket of this server, if there is one, and keeps what the server sends on this connection. A ticket
/// is offered once (RFC 8446, C.4). Before the handshake, on a connection of such a context.
void offer_kept_session(ssl_st* connection, const std::string& server_name);

}  // namespace holdfast
