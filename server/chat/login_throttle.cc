#include "server/chat/login_throttle.h"

#include <algorithm>

namespace holdfast::chat {

using std::chrono::milliseconds;

milliseconds AddressThrottle::wait(const std::string& address, WallTime now) const {
  const auto found = entries_.find(address);
  if (found == entries_.end()) return milliseconds(0);
  const Entry& entry = found->second;
  if (entry.failures < options_.failures_free || entry.last + options_.forgotten <= now) return milliseconds(0);
  const std::uint32_t doublings = std::min(entry.failures - options_.failures_free, 20u);
  const milliseconds pause =
      std::min<milliseconds>(std::chrono::seconds(std::int64_t{1} << doublings), options_.wait_max);
  return std::max(milliseconds(0), milliseconds(entry.last + pause - now));
}

void AddressThrottle::failed(const std::string& address, WallTime now) {
  if (!entries_.contains(address)) make_room(now);
  Entry& entry = entries_[address];
  if (entry.last + options_.forgotten <= now) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
}

/// Looks at all entries, but only where another would be one too many: next to a password hash that is nothing.
void AddressThrottle::make_room(WallTime now) {
  if (entries_.size() < options_.addresses_max) return;
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.last + options_.forgotten <= now; });
  if (entries_.size() < options_.addresses_max) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                  [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

}  // namespace holdfast::chat
