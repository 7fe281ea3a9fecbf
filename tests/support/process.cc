#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/random.h"

namespace holdfast::testing {
namespace {

constexpr int kStartMax_ms = 30'000;
constexpr unsigned kStopMax_s = 30;
constexpr unsigned kEndMax_s = 600;  ///< of a program by itself, on a machine that builds and tests: later it hangs

struct Launch {
  std::vector<std::string> command;
  int out = -1;
  int err = -1;
  std::optional<std::uint64_t> files_max = {};
};

pid_t spawn(const Launch& launch) {
  std::vector<char*> arguments;
  for (const std::string& argument : launch.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child > 0) return child;
  // Only what is safe between fork and exec.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::dup2(launch.out, STDOUT_FILENO);
  ::dup2(launch.err, STDERR_FILENO);
  if (launch.files_max) {
    const rlimit limit{*launch.files_max, *launch.files_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

/// The exit status, once it is there; nothing after `max_s` seconds.
std::optional<int> wait_for(pid_t pid, unsigned max_s) {
  // A process is waited for through a descriptor, which, unlike waitpid(), can be given up on.
  const int descriptor = static_cast<int>(::syscall(434 /* pidfd_open */, pid, 0));
  REQUIRE(descriptor >= 0);
  pollfd ended{descriptor, POLLIN, 0};
  const int ready = ::poll(&ended, 1, static_cast<int>(max_s * 1'000));
  ::close(descriptor);
  if (ready != 1) return std::nullopt;
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return status;
}

Ended ended_with(int status) {
  Ended ended;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

int create(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  REQUIRE(file >= 0);
  return file;
}

std::string drain(int descriptor) {
  std::string text;
  std::array<char, 4096> some;
  for (ssize_t got; (got = ::read(descriptor, some.data(), some.size())) > 0;)
    text.append(some.data(), static_cast<std::size_t>(got));
  return text;
}

/// The number behind `before` in the text.
std::uint16_t number_after(const std::string& text, const std::string& before) {
  const auto at = text.find(before);
  REQUIRE(at != std::string::npos);
  return static_cast<std::uint16_t>(std::stoul(text.substr(at + before.size())));
}

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "holdfast-integration-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port(const std::string& host) {
  SystemRandom random;
  for (int tries = 0; tries < 1'000; ++tries) {
    const auto port = static_cast<std::uint16_t>(10'000 + random.below(20'000));
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    ::inet_pton(AF_INET, host.c_str(), &where.sin_addr);
    const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    ::close(probe);
    if (free) return port;
  }
  FAIL("no free port");
  return 0;
}

std::string program(const std::string& name) {
  const char* folder = std::getenv("HOLDFAST_BIN");
  INFO("HOLDFAST_BIN says where the programs are");
  REQUIRE(folder != nullptr);
  return std::string(folder) + "/" + name;
}

std::string contents_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

Ended run_program(const std::vector<std::string>& command) {
  ScratchFolder folder;
  Launch launch{.command = command, .out = create(folder.path() / "out"), .err = create(folder.path() / "err")};
  const pid_t pid = spawn(launch);
  ::close(launch.out);
  ::close(launch.err);
  const auto status = wait_for(pid, kEndMax_s);
  if (!status) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    FAIL("it does not end: " << command.front());
  }
  Ended ended = ended_with(*status);
  ended.out = contents_of(folder.path() / "out");
  ended.err = contents_of(folder.path() / "err");
  return ended;
}

// ------------------------------------------------------------------------------------------------ the server

ServerProcess::ServerProcess(ServerOptions options)
    : options_(std::move(options)), data_(options_.data.empty() ? folder_.path() / "data" : options_.data) {
  set_config(options_.config);
  port_ = free_port(options_.host);
  start();
}

/// Also after the last test, when nothing may be required any more.
ServerProcess::~ServerProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
}

void ServerProcess::set_config(std::string config) {
  options_.config = std::move(config);
  // What a test needs not wait for: few partitions show what 64 would, and a password costs some milliseconds.
  std::ofstream(config_file()) << "partitions = " << options_.partitions
                               << "\n[passwords]\nmemory_bytes = 8388608\npasses = 1\n"
                               << options_.config;
}

std::vector<std::string> ServerProcess::command() const {
  return {program("holdfastd"),
          "--config",
          config_file(),
          "--data",
          data_,
          "--listen",
          options_.host + ":" + std::to_string(port_),
          "--http",
          "127.0.0.1:0",
          "--admin",
          "127.0.0.1:0",
          "--workers",
          std::to_string(options_.workers)};
}

void ServerProcess::launch() {
  REQUIRE(pid_ == 0);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const int err = create(folder_.path() / "log");
  pid_ = spawn({.command = command(), .out = ends[1], .err = err, .files_max = options_.files_max});
  ::close(ends[1]);
  ::close(err);
  out_ = ends[0];
}

void ServerProcess::start() {
  launch();
  if (!read_welcome()) {
    const Ended ended = reap();
    FAIL("the server did not start: exit code " << ended.exit_code << ", signal " << ended.signal << "\n" << ended.err);
  }
  port_ = number_after(welcome_, "clients     port ");
  admin_port_ = number_after(welcome_, "operators   http://127.0.0.1:");
  http_port_ = number_after(welcome_, "users       http://127.0.0.1:");
}

/// False: it ended instead.
bool ServerProcess::read_welcome() {
  welcome_.clear();
  std::array<char, 4096> some;
  while (welcome_.find("Over TLS:") == std::string::npos) {
    pollfd readable{out_, POLLIN, 0};
    if (::poll(&readable, 1, kStartMax_ms) != 1) {
      ::kill(pid_, SIGKILL);
      return false;
    }
    const auto got = ::read(out_, some.data(), some.size());
    if (got <= 0) return false;
    welcome_.append(some.data(), static_cast<std::size_t>(got));
  }
  return true;
}

Ended ServerProcess::start_and_fail() {
  launch();
  if (read_welcome()) FAIL("the server started, which it should not have");
  return reap();
}

void ServerProcess::kill_hard() {
  ::kill(pid_, SIGKILL);
  reap();
}

void ServerProcess::ask_to_stop() {
  REQUIRE(pid_ > 0);
  ::kill(pid_, SIGTERM);
}

Ended ServerProcess::wait_for_end() { return reap(); }

Ended ServerProcess::stop() {
  ask_to_stop();
  return reap();
}

Ended ServerProcess::reap() {
  const auto status = wait_for(pid_, kStopMax_s);
  if (!status) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = 0;
  Ended ended = status ? ended_with(*status) : Ended{};
  ended.out = welcome_ + drain(out_);
  ended.err = log();
  ::close(out_);
  out_ = -1;
  if (!status) FAIL_CHECK("the server did not end when told to\n" << ended.err);
  return ended;
}

std::string ServerProcess::log() const { return contents_of(folder_.path() / "log"); }

std::string ServerProcess::operator_key() const {
  std::string key = contents_of(data_ / "operator.key");
  while (!key.empty() && key.back() == '\n') key.pop_back();
  return key;
}

Ended ctl(const ServerProcess& server, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{program("holdfastctl"),
                                   "--admin",
                                   "127.0.0.1:" + std::to_string(server.admin_port()),
                                   "--server",
                                   "127.0.0.1:" + std::to_string(server.port()),
                                   "--operator-key",
                                   (server.data() / "operator.key").string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_program(command);
}

}  // namespace holdfast::testing
