#include "tools/holdfast-load/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "tools/holdfast-load/proc_figures.h"

namespace holdfast::load {
ServerProcess::ServerProcess(const Options& options) {
  pid_ = options.server_pid != 0 ? options.server_pid : options.kill_pid;
  if (pid_ == 0) pid_ = holder_of_data(std::filesystem::path(options.operator_key_file).parent_path());
}

std::optional<std::chrono::duration<double>> ServerProcess::cpu_of(pid_t pid) {
  const auto figures = pid == 0 ? std::nullopt : process_figures(pid);
  if (!figures) return std::nullopt;
  return std::chrono::duration<double>(figures->cpu_s);
}

std::optional<std::chrono::duration<double>> ServerProcess::cpu() const {
  const auto now = cpu_of(pid_);
  if (!now) return std::nullopt;
  return of_earlier_lives_ + *now - counted_from_;
}

void ServerProcess::start_counting() {
  of_earlier_lives_ = std::chrono::duration<double>(0);
  counted_from_ = cpu_of(pid_).value_or(std::chrono::duration<double>(0));
}

bool ServerProcess::alive() const {
  if (child_ && ::waitpid(pid_, nullptr, WNOHANG) == pid_) return false;
  return !has_ended(pid_);
}

void ServerProcess::kill() {
  if (const auto now = cpu_of(pid_)) of_earlier_lives_ += *now - counted_from_;
  counted_from_ = std::chrono::duration<double>(0);
  ::kill(pid_, SIGKILL);
  // A process of somebody else's can't be waited for; dying takes the kernel some milliseconds.
  while (alive()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

bool ServerProcess::restart(const std::string& command) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::setsid();  // Ctrl-C is meant for us
    const int null = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, descriptor);
    ::close_range(3, ~0U, 0);
    const std::string line = "exec " + command;
    ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  pid_ = child;
  child_ = true;
  return true;
}

}  // namespace holdfast::load
