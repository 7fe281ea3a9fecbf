/// A relay that takes every mail and throws it away: as little as a mail server can cost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "base/time.h"

namespace holdfast::bench {

/// On the loopback, in a thread of its own. SMTP without extensions but PIPELINING and 8BITMIME; every address is good.
class MailSink {
 public:
  MailSink();
  ~MailSink();
  MailSink(const MailSink&) = delete;
  MailSink& operator=(const MailSink&) = delete;

  std::uint16_t port() const { return port_; }
  /// Mails whose final dot was answered.
  std::uint64_t taken() const;
  /// When the last one was; meaningful with taken() > 0.
  SteadyTime last_taken() const;

 private:
  struct Impl;
  std::uint16_t port_ = 0;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::bench
