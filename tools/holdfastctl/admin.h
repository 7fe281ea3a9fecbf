/// Asks the operators' ports of nodes, one question after the other.
///
/// Value; blocking; one thread. The first address that answers is asked first from then on. Errors say who was asked, and
/// what to do.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "net/http.h"
#include "net/listener.h"

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

/// What an answer that is not the one hoped for means. Errc::io: none that a node gives. The message names the address.
Error refused(const HostPort& where, const HttpResponse& response);
/// The same of a 200: Errc::io if what it has is no page of a node's.
Result<std::string> page_of(const HostPort& where, HttpResponse response);

class Admin {
 public:
  explicit Admin(AdminOptions options) : options_(std::move(options)) {}

  /// The body of a 200 of the first that answers as a node does; fails with what that said, or io if none did.
  Result<std::string> get(const std::string& target);
  /// The same with the operators' key, where what is told is not for everybody.
  Result<std::string> get_secret(const std::string& target);
  /// From this one and no other.
  Result<std::string> get_from(const HostPort& where, const std::string& target,
                               std::chrono::milliseconds time_max = std::chrono::milliseconds(2'000));
  /// A change. Errc::not_primary: that one can't, another can.
  Status post(const std::string& target, const std::string& body = {});
  Status post_to(const HostPort& where, const std::string& target, const std::string& body = {});
  /// Of whoever answered last, or is first: what one node keeps from one question to the next.
  Result<std::string> post_for_body(const std::string& target);

  const AdminOptions& options() const { return options_; }

 private:
  enum class Key : std::uint8_t { without, with };
  Result<HttpResponse> ask(const HostPort& where, const std::string& method, const std::string& target,
                           std::chrono::milliseconds time_max, Key with_key = Key::without,
                           const std::string& body = {});
  Result<std::string> get_with(const std::string& target, Key with_key);
  Result<std::string> key();

  AdminOptions options_;
  std::string key_;
};

}  // namespace holdfast::ctl
