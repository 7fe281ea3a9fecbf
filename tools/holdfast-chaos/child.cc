#include "tools/holdfast-chaos/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <thread>
#include <utility>

namespace holdfast::chaos {
namespace {

constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kRunMax{30};

/// "name=value" of ours and of the command's, for exec.
std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** one = ::environ; *one != nullptr; ++one) {
    const std::string_view variable = *one;
    if (!command.environment.contains(std::string(variable.substr(0, variable.find('='))))) all.emplace_back(variable);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

std::string system_said() { return std::strerror(errno); }

Result<pid_t> spawn(const Command& command, int out) {
  int network = -1;
  if (!command.network.empty()) {
    network = ::open(("/run/netns/" + command.network).c_str(), O_RDONLY | O_CLOEXEC);
    if (network < 0) return Error{Errc::io, "can't open the network " + command.network + ": " + system_said()};
  }
  const auto environment = environment_of(command);
  const auto arguments = pointers(command.arguments);
  const auto variables = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    // Only what is safe between fork and exec.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::setsid();  // Ctrl-C is meant for us
    if (network >= 0 && ::setns(network, CLONE_NEWNET) != 0) ::_exit(125);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvpe(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  if (network >= 0) ::close(network);
  if (child < 0) return Error{Errc::io, "can't fork: " + system_said()};
  return child;
}

}  // namespace

Child::Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), ending_(std::move(other.ending_)) {}

Child::~Child() { kill(); }

Status Child::start(const Command& command) {
  HF_CHECK(pid_ == 0, "a child runs once at a time");
  const int out = ::open(command.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0) return Error{Errc::io, "can't write " + command.output + ": " + system_said()};
  auto started = spawn(command, out);
  ::close(out);
  if (!started) return started.error();
  pid_ = *started;
  ending_.clear();
  return Ok{};
}

void Child::note_end(int status) {
  pid_ = 0;
  ending_ = WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                              : "signal " + std::to_string(WTERMSIG(status));
}

bool Child::runs() {
  if (pid_ == 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  note_end(status);
  return false;
}

void Child::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) note_end(status);
  pid_ = 0;
}

void Child::freeze() {
  if (pid_ != 0) ::kill(pid_, SIGSTOP);
}

void Child::thaw() {
  if (pid_ != 0) ::kill(pid_, SIGCONT);
}

bool Child::stop(std::chrono::seconds max) {
  if (!runs()) return true;
  ::kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + max;
  while (runs()) {
    if (std::chrono::steady_clock::now() > until) {
      kill();
      return false;
    }
    std::this_thread::sleep_for(kLook);  // another process tells nobody
  }
  return true;
}

namespace {

/// What it writes; one that takes too long is killed.
std::string read_until_end(int from, pid_t child) {
  const auto until = std::chrono::steady_clock::now() + kRunMax;
  std::string said;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd end{from, POLLIN, 0};
    if (left <= 0 || ::poll(&end, 1, static_cast<int>(left)) == 0) {
      ::kill(child, SIGKILL);
      return said + "took more than " + std::to_string(kRunMax.count()) + " s";
    }
    char some[4096];
    const ssize_t got = ::read(from, some, sizeof some);
    if (got <= 0) return said;
    said.append(some, static_cast<size_t>(got));
  }
}

}  // namespace

Status run(const std::vector<std::string>& command, const std::string& network) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Errc::io, "no pipe: " + system_said()};
  auto child = spawn({command, "", network}, ends[1]);
  ::close(ends[1]);
  std::string said;
  if (child) said = read_until_end(ends[0], *child);
  ::close(ends[0]);
  if (!child) return child.error();
  int status = 0;
  ::waitpid(*child, &status, 0);
  if (status == 0) return Ok{};
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "" : " ") + word;
  return Error{Errc::io, line + ": " + (said.empty() ? "failed with status " + std::to_string(status) : said)};
}

}  // namespace holdfast::chaos
