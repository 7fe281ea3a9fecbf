/// Which node a client tries next. Sans-IO value.
///
/// It knows the bootstrap endpoints, which the application gave, and the ranked ones, which the server names for this
/// session, the best first. The round of tries is: the ranked ones in their order, then the bootstrap ones in an order
/// drawn once, each once; after a connection broke the node that was lost comes last. So a dead node's sessions go each
/// to its next choice, spread evenly, and a list that has grown old still leads somewhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "clients/cpp/endpoint.h"

namespace holdfast::client {

class Endpoints {
 public:
  /// `bootstrap` is at least one.
  Endpoints(std::vector<Endpoint> bootstrap, Random& random);

  /// What the server said: host:port each. How to speak there (TLS, WebSocket) is as at the bootstrap endpoints: a
  /// server can't talk a client out of TLS. What is no address is left out; nothing at all changes nothing.
  void set_ranked(const std::vector<std::string>& addresses);
  /// host:port each, for the store.
  std::vector<std::string> ranked() const;

  /// Before the first try, if there are ranked ones: the best of them.
  void start_over();
  /// In use, or tried next.
  const Endpoint& current() const { return round_[next_]; }
  /// The connection, which had been up, is gone: a new round, without this one at first.
  void lost();
  /// The present one could not be used.
  void failed() { next_ = (next_ + 1) % round_.size(); }
  /// A connection to this one is up, by moving.
  void moved_to(const Endpoint& endpoint);
  /// As an endpoint, or nothing.
  std::optional<Endpoint> parse(const std::string& address) const;

 private:
  std::vector<Endpoint> known() const;

  std::vector<Endpoint> bootstrap_;
  std::vector<Endpoint> ranked_;
  std::vector<Endpoint> round_;  ///< never empty
  std::size_t next_ = 0;
};

}  // namespace holdfast::client
