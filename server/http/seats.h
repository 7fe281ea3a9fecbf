/// How many things of one address are under way at the same time: connections, or requests that came through a proxy.
///
/// Any thread. A seat may outlive the Seats that it was taken from.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace holdfast::http {

class Seats {
 public:
  explicit Seats(std::size_t of_one_max) : of_one_max_(of_one_max) {}

  /// Taken for as long as somebody has it.
  using Seat = std::shared_ptr<void>;
  /// Null: the address has as many as it may.
  Seat take(const std::string& address);

 private:
  struct Taken {
    std::mutex mutex;
    std::map<std::string, std::size_t> of_one;  ///< under mutex
  };
  const std::size_t of_one_max_;
  const std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace holdfast::http
