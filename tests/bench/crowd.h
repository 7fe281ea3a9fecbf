/// Connections that come all together, ask once each, and stay: the same light client for Holdfast and for its baselines,
/// so that what differs is the server.
///
/// One thread, epoll, plain or TLS 1.3 by OpenSSL itself. Gives up if one is refused or not answered.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/arrivals.h"
#include "tests/bench/measuring.h"

namespace holdfast::bench {

/// What the clients keep of earlier connections: their TLS tickets, one for each.
class Tickets {
 public:
  Tickets();
  SSL_CTX* context() const { return context_.get(); }
  void forget() { kept_.clear(); }
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>& of(std::size_t client);

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::vector<std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>> kept_;
};

struct Asking {
  std::uint16_t port = 0;
  std::vector<std::string> requests = {};  ///< one for each connection
  /// Told what came on a connection, piece by piece; true: that was the end of its answer.
  std::function<bool(std::size_t client, std::string_view bytes)> takes;
  std::size_t under_way = 500;  ///< connections that are not answered yet, at any time
  Tickets* tickets = nullptr;   ///< null: plain text
};

/// They are there until it is destroyed, which closes them hard.
class Crowd {
 public:
  explicit Crowd(Asking asking);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Until all are answered; `server`: whose processor time is counted.
  Arrivals come(pid_t server);

 private:
  struct Client;
  void start_one();
  bool is_answered(Client& client);
  void watch(Client& client, std::uint32_t events);

  Asking asking_;
  const int epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace holdfast::bench
