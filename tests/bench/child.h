/// A program run beside us.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::bench {

/// Dies with its owner, and with this process whatever way that ends. Blocking; one thread.
class Child {
 public:
  /// Output goes to `log`, appended.
  Child(const std::vector<std::string>& command, const std::string& log);
  ~Child();  ///< kills it if it still runs
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  /// The exit code; -1: by a signal.
  int wait();
  void terminate();  ///< SIGTERM
  bool running();

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

/// A port that is free now.
std::uint16_t free_port();
/// A socket that listens on this port of the loopback, and accepts with or without waiting; gives up if it can't.
int listen_on(std::uint16_t port, bool waits = false);
/// Until something takes connections on this port of the loopback; gives up after half a minute.
void wait_until_listening(std::uint16_t port);
/// A connected socket on the loopback, or -1.
int connect_to(std::uint16_t port);

}  // namespace holdfast::bench
