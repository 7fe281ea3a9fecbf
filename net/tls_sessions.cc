#include "net/tls_sessions.h"

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/check.h"

namespace holdfast {

namespace {

constexpr std::size_t kServersMax = 64;

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

/// Of one context: connections on several threads may share it.
struct Kept {
  std::mutex mutex;
  std::unordered_map<std::string, Session> by_server;
};

template <class T>
void free_data(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<T*>(data);
}

int kept_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_data<Kept>);
  return index;
}

int server_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_data<std::string>);
  return index;
}

Kept* kept_of(const SSL* connection) {
  return static_cast<Kept*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), kept_index()));
}

/// OpenSSL's callback for a ticket that came. Returns whether the session is ours to free.
int keep(SSL* connection, SSL_SESSION* session) {
  const auto* server = static_cast<std::string*>(SSL_get_ex_data(connection, server_index()));
  Kept* kept = kept_of(connection);
  if (!server || !kept) return 0;
  const std::lock_guard lock(kept->mutex);
  auto& sessions = kept->by_server;
  if (sessions.size() >= kServersMax && !sessions.contains(*server)) sessions.erase(sessions.begin());
  sessions[*server].reset(session);
  return 1;
}

}  // namespace

void keep_client_sessions(SSL_CTX* context) {
  HF_CHECK(SSL_CTX_set_ex_data(context, kept_index(), new Kept) == 1, "OpenSSL has no memory for a context");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep);
}

void offer_kept_session(SSL* connection, const std::string& server_name) {
  Kept* kept = kept_of(connection);
  HF_CHECK(kept, "not a client's context");
  auto server = std::make_unique<std::string>(server_name);
  if (SSL_set_ex_data(connection, server_index(), server.get()) == 1) static_cast<void>(server.release());
  Session session;
  {
    const std::lock_guard lock(kept->mutex);
    const auto found = kept->by_server.find(server_name);
    if (found == kept->by_server.end()) return;
    session = std::move(found->second);
    kept->by_server.erase(found);
  }
  SSL_set_session(connection, session.get());
}

}  // namespace holdfast
