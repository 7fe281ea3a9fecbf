#include "server/gateway/admission.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast::gateway {
namespace {

std::size_t open_files_max() {
  rlimit limit{};
  HF_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of open files can be asked for");
  return limit.rlim_cur;
}

std::uint64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGE_SIZE);
  HF_CHECK(pages > 0 && page_bytes > 0, "the memory's size can be asked for");
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
}

std::optional<Hash32> hashed(const std::string& key) {
  if (key.empty()) return std::nullopt;
  return blake2b_256({key});
}

chat::AddressThrottle::Options throttle_of(const chat::Limits& limits) {
  chat::AddressThrottle::Options options;
  options.wait_max = limits.login_lock;
  options.forgotten = limits.login_failures_forgotten;
  return options;
}

}  // namespace

std::size_t connections_allowed(std::size_t files, std::uint64_t memory_bytes, std::size_t reserve) {
  constexpr std::uint64_t kIdleBytes = 24 << 10;
  const std::size_t by_files = files > 2 * reserve ? files - reserve : files / 2;
  const std::size_t by_memory = memory_bytes / 2 / kIdleBytes;
  return std::max<std::size_t>(1, std::min(by_files, by_memory));
}

Admission::Admission(Options options)
    : connections_max_(options.connections_max ? options.connections_max
                                               : connections_allowed(open_files_max(), memory_bytes())),
      operator_key_(hashed(options.operator_key)),
      connections_(std::make_shared<std::atomic<std::size_t>>(0)),
      addresses_(throttle_of(options.limits)) {}

std::optional<Admission::Place> Admission::admit() {
  if (held_.load(std::memory_order_relaxed)) return std::nullopt;
  if (connections_->fetch_add(1, std::memory_order_relaxed) < connections_max_) return Place(connections_);
  connections_->fetch_sub(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::shared_ptr<UserRate> Admission::rate_of(const UserId& user) {
  const std::lock_guard lock(users_mutex_);
  if (users_.size() >= users_swept_at_) {
    std::erase_if(users_, [](const auto& entry) { return entry.second.expired(); });
    users_swept_at_ = std::max<std::size_t>(1'024, users_.size() * 2);
  }
  auto& known = users_[user];
  auto rate = known.lock();
  if (!rate) known = rate = std::make_shared<UserRate>();
  return rate;
}

bool Admission::is_operator_key(std::string_view key) const {
  const Hash32 offered = blake2b_256({key});
  return operator_key_ && equal_secret(as_bytes(offered), as_bytes(*operator_key_));
}

std::chrono::milliseconds Admission::login_wait(const std::string& address, WallTime now) {
  const std::lock_guard lock(addresses_mutex_);
  return addresses_.wait(address, now);
}

void Admission::login_failed(const std::string& address, WallTime now) {
  const std::lock_guard lock(addresses_mutex_);
  addresses_.failed(address, now);
}

}  // namespace holdfast::gateway
