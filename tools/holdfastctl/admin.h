/// Asks the operators' ports of nodes, one question after the other.
///
/// Value; blocking; one thread. The first address that answers is asked first from then on. Errors say what was tried and
/// what to do.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/listener.h"
#include "net/http.h"

namespace holdfast::ctl {

struct AdminOptions {
  std::vector<HostPort> where{{"127.0.0.1", 7490}};
  std::string key_file = "data/operator.key";  ///< read when something is to be changed
  std::chrono::milliseconds time_max{5'000};
};

/// "HOST:PORT,HOST:PORT". Fails with invalid_argument.
Result<std::vector<HostPort>> parse_admin(std::string_view text);
/// What to say when nobody answered; `why` are the reasons, one for each of `where`.
std::string nobody_answered(const std::vector<HostPort>& where, const std::vector<std::string>& why);

class Admin {
 public:
  explicit Admin(AdminOptions options) : options_(std::move(options)) {}

  /// The body of a 200 of whoever answers first; fails with what the node said, or io if no node answered.
  Result<std::string> get(const std::string& target);
  /// From this one and no other.
  Result<std::string> get_from(const HostPort& where, const std::string& target,
                               std::chrono::milliseconds time_max = std::chrono::milliseconds(2'000));
  /// A change. Errc::not_primary: that one can't, another can.
  Status post(const std::string& target);
  Status post_to(const HostPort& where, const std::string& target);
  /// Of whoever answered last, or is first: what one node keeps from one question to the next.
  Result<std::string> post_for_body(const std::string& target);

  const AdminOptions& options() const { return options_; }

 private:
  Result<HttpResponse> ask(const HostPort& where, const std::string& method, const std::string& target,
                           std::chrono::milliseconds time_max);
  Result<std::string> key();

  AdminOptions options_;
  std::string key_;
};

}  // namespace holdfast::ctl
