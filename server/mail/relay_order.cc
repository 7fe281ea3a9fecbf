#include "server/mail/relay_order.h"

namespace holdfast::mail {

std::vector<std::size_t> RelayOrder::at(SteadyTime now) const {
  std::vector<std::size_t> order, resting;
  for (std::size_t relay = 0; relay < rests_until_.size(); ++relay)
    (rests_until_[relay] <= now ? order : resting).push_back(relay);
  order.insert(order.end(), resting.begin(), resting.end());
  return order;
}

}  // namespace holdfast::mail
