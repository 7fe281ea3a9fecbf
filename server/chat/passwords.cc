#include "server/chat/passwords.h"

#include <sodium.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/random.h"

namespace holdfast::chat {
namespace {

constexpr int kNiceness = 10;

std::string password_of_nobody() {
  SystemRandom random;
  const auto drawn = random.id<RequestId>();
  return to_hex(drawn.bytes());
}

}  // namespace

PasswordHasher::PasswordHasher(PasswordCost cost) : cost_(cost) {
  auto dummy = hash(password_of_nobody());
  HF_CHECK(dummy, "there is memory for one password hash at the start");
  dummy_ = std::move(dummy).value();
}

Result<std::string> PasswordHasher::hash(const std::string& password) const {
  char text[crypto_pwhash_STRBYTES];
  const int failed = crypto_pwhash_str_alg(text, password.data(), password.size(), cost_.passes, cost_.memory_bytes,
                                           crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) return Error{Errc::retry_later, "no memory for a password hash"};
  return std::string(text);
}

bool PasswordHasher::verify(const std::string& hash, const std::string& password) const {
  const std::string& against = hash.empty() ? dummy_ : hash;
  const bool matches = crypto_pwhash_str_verify(against.c_str(), password.data(), password.size()) == 0;
  return matches && !hash.empty();
}

PasswordPool::PasswordPool(Options options) : queued_max_(options.queued_max) {
  HF_CHECK(options.threads > 0, "a pool has a thread");
  for (std::size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { run(); });
}

PasswordPool::~PasswordPool() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Status PasswordPool::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= queued_max_) {
      ++refused_;
      return Error{Errc::retry_later, "the password queue is full"};
    }
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return Ok{};
}

PasswordPool::Figures PasswordPool::figures() const {
  const std::lock_guard lock(mutex_);
  return {queue_.size(), queued_max_, refused_};
}

void PasswordPool::run() {
  // Linux: of this thread alone. Hashing takes what the workers leave it, so a crowd of log-ins starves no resume; and a
  // tenth of a processor if they leave nothing.
  ::setpriority(PRIO_PROCESS, 0, kNiceness);
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

}  // namespace holdfast::chat
