/// A child process that can be killed, frozen and asked to stop.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::chaos {

struct Command {
  std::vector<std::string> arguments;                   ///< the program first, found on the path
  std::string output;                                   ///< a file that it appends to
  std::string network = {};                             ///< of /run/netns; empty: ours
  std::map<std::string, std::string> environment = {};  ///< besides ours
};

/// Owned by whoever started it; one thread, which must live as long: the kernel ends the child with the thread that
/// started it, whatever way that ends.
class Child {
 public:
  Child() = default;
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  Status start(const Command& command);
  /// Also true of a frozen one.
  bool runs();
  pid_t pid() const { return pid_; }
  /// SIGKILL, also if frozen; waits until it is gone. Nothing if it does not run.
  void kill();
  void freeze();
  void thaw();
  /// SIGTERM; false, and killed, if it takes longer.
  bool stop(std::chrono::seconds max);
  /// How it ended by itself; only after runs() said no.
  std::string ending() const { return ending_; }

 private:
  void note_end(int status);
  pid_t pid_ = 0;
  std::string ending_;
};

/// To its end, of which it has half a minute. Fails with io and what it wrote.
Status run(const std::vector<std::string>& command, const std::string& network = {});

}  // namespace holdfast::chaos
