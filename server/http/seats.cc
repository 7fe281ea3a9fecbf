#include "server/http/seats.h"

namespace holdfast::http {

Seats::Seat Seats::take(const std::string& address) {
  const std::lock_guard lock(taken_->mutex);
  std::size_t& now = taken_->of_one[address];
  if (now >= of_one_max_) return nullptr;
  ++now;
  return {taken_.get(), [taken = taken_, address](Taken*) {
            const std::lock_guard back(taken->mutex);
            const auto at = taken->of_one.find(address);
            if (--at->second == 0) taken->of_one.erase(at);
          }};
}

}  // namespace holdfast::http
