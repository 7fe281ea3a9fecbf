/// A real Postfix from a folder of its own, on a free port of 127.0.0.1.
///
/// Mail to anybody at inbox.test goes to a maildir that the test can look into; mail to anybody at reply.test is handed
/// over by LMTP to the port given. Everything else is refused: no mail leaves this machine. The programs are the
/// installed package's; its configuration and its queue are not touched.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread. Stops with its
/// owner, and with this process whatever way that ends. Needs root, as Postfix does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/storage/temp_directory.h"
#include "tests/support/certificate.h"
#include "tests/support/child.h"

namespace holdfast::testing {

struct PostfixOptions {
  std::uint16_t lmtp_port = 0;                  ///< on 127.0.0.1, for reply.test; 0: mail to it waits in the queue
  std::optional<Certificate> certificate = {};  ///< offers STARTTLS with it
  std::vector<std::string> more = {};           ///< further lines of main.cf
};

class Postfix {
 public:
  /// Started, and taking mail.
  explicit Postfix(const PostfixOptions& options = {});
  ~Postfix();

  std::uint16_t port() const { return port_; }
  /// Mails in the maildir as they were delivered, in the order of delivery.
  std::vector<std::string> delivered() const;
  /// Waits until there are so many.
  std::vector<std::string> wait_for_delivered(std::size_t mails) const;
  /// What Postfix wrote to its log.
  std::string log() const;
  /// Tries now what waits in the queue.
  void flush_queue();

 private:
  void write_configuration(const PostfixOptions& options);

  TempDirectory folder_;
  std::uint16_t port_;
  std::optional<Child> master_;
};

/// False, and said so, without root; without Postfix the test fails.
bool can_run_postfix();

}  // namespace holdfast::testing
