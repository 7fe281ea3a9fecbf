#include "net/tls_sessions.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace holdfast {

namespace {

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

}  // namespace

struct ClientTickets::Impl {
  const std::size_t servers_max;
  std::mutex mutex;
  std::unordered_map<std::string, Session> by_server;
};

ClientTickets::ClientTickets(std::size_t servers_max) : impl_(std::make_unique<Impl>(servers_max)) {}
ClientTickets::~ClientTickets() = default;

namespace {

/// Where the tickets of a connection go.
struct Keeping {
  std::string server;
  std::shared_ptr<ClientTickets> tickets;
};

void free_keeping(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Keeping*>(data); }

int keeping_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_keeping);
  return index;
}

/// OpenSSL's callback for a ticket that came. Returns whether the session is ours to free: never, since what is kept is a
/// copy. OpenSSL's own is marked as worthless when the connection ends without a good-bye, and those who were cut, by a
/// server's death, are the very ones who come back.
int keep(SSL* connection, SSL_SESSION* session) {
  const auto* keeping = static_cast<Keeping*>(SSL_get_ex_data(connection, keeping_index()));
  if (!keeping) return 0;
  ClientTickets::Impl& kept = keeping->tickets->impl();
  if (kept.servers_max == 0) return 0;
  Session copy(SSL_SESSION_dup(session));
  if (!copy) return 0;
  const std::lock_guard lock(kept.mutex);
  auto& sessions = kept.by_server;
  if (sessions.size() >= kept.servers_max && !sessions.contains(keeping->server)) sessions.erase(sessions.begin());
  sessions[keeping->server] = std::move(copy);
  return 0;
}

/// Nobody looks at certificates again when a session is resumed: that is done here.
bool is_good_for(const SSL_SESSION* session, const std::string& server_name) {
  X509* certificate = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  if (!certificate) return false;
  return X509_check_host(certificate, server_name.data(), server_name.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(certificate, server_name.c_str(), 0) == 1;
}

/// The ticket to offer, which is nobody's any more.
Session take(ClientTickets::Impl& kept, const std::string& server_name, bool checks_names) {
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

void take_client_tickets(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep);
}

void offer_kept_session(SSL* connection, const std::string& server_name, bool checks_names,
                        std::shared_ptr<ClientTickets> tickets) {
  const Session session = take(tickets->impl(), server_name, checks_names);
  auto keeping = std::make_unique<Keeping>(server_name, std::move(tickets));
  if (SSL_set_ex_data(connection, keeping_index(), keeping.get()) == 1) static_cast<void>(keeping.release());
  if (session) SSL_set_session(connection, session.get());
}

}  // namespace holdfast
