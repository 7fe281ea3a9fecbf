/// A program of other people's as a child process, killed with its owner, and with this process whatever way that ends.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace holdfast::testing {

class Child {
 public:
  /// Found on the path. Standard error goes to the file, which is made.
  Child(const std::vector<std::string>& command, const std::filesystem::path& errors);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The next line of its standard output, without the line break; empty if it ended, or after 30 seconds without one.
  std::string read_line();
  /// SIGTERM, and waits until it is gone.
  void stop();
  bool has_ended();

 private:
  pid_t pid_ = 0;
  int in_ = -1, out_ = -1;  ///< its standard input, to be closed; its standard output, to be read
};

namespace detail {
bool wait_a_little(int& asked);
}

/// Asks until it is so, for at most 30 seconds: for what happens in another process, which tells nobody.
template <class Question>
bool comes_true(Question is_so) {
  for (int asked = 0; !is_so();)
    if (!detail::wait_a_little(asked)) return false;
  return true;
}

}  // namespace holdfast::testing
