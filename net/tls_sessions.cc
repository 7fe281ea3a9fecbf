#include "net/tls_sessions.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
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

/// Nobody looks at certificates again when a session is resumed: that is done here.
bool is_good_for(const SSL_SESSION* session, const std::string& server_name) {
  X509* certificate = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  if (!certificate) return false;
  return X509_check_host(certificate, server_name.data(), server_name.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(certificate, server_name.c_str(), 0) == 1;
}

/// The ticket to offer, which is nobody's any more.
Session take(Kept& kept, const std::string& server_name, bool checks_names) {
  const std::lock_guard lock(kept.mutex);
  auto& sessions = kept.by_server;
  auto found = sessions.find(server_name);
  if (found == sessions.end())
    found = std::find_if(sessions.begin(), sessions.end(),
                         [&](const auto& one) { return !checks_names || is_good_for(one.second.get(), server_name); });
  if (found == sessions.end()) return nullptr;
  Session session = std::move(found->second);
  sessions.erase(found);
  return session;
}

}  // namespace

void keep_client_sessions(SSL_CTX* context) {
  HF_CHECK(SSL_CTX_set_ex_data(context, kept_index(), new Kept) == 1, "OpenSSL has no memory for a context");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep);
}

void offer_kept_session(SSL* connection, const std::string& server_name, bool checks_names) {
  Kept* kept = kept_of(connection);
  HF_CHECK(kept, "not a client's context");
  auto server = std::make_unique<std::string>(server_name);
  if (SSL_set_ex_data(connection, server_index(), server.get()) == 1) static_cast<void>(server.release());
  const Session session = take(*kept, server_name, checks_names);
  if (session) SSL_set_session(connection, session.get());
}

}  // namespace holdfast
