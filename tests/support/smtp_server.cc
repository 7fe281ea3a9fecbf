#include "tests/support/smtp_server.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "tests/support/process.h"

namespace holdfast::testing {
namespace {

/// Debian's own: python3-aiosmtpd is for that one.
constexpr const char* kPython = "/usr/bin/python3";

std::vector<std::string> command_of(const std::string& behaviour, const std::string& folder,
                                    const SmtpServerOptions& options) {
  const char* source = std::getenv("HOLDFAST_SOURCE");
  REQUIRE(source != nullptr);  // ctest sets it
  std::vector<std::string> command{kPython, std::string(source) + "/tests/support/smtp_servers.py", behaviour, folder};
  if (options.certificate) {
    command.insert(command.end(),
                   {"--certificate", options.certificate->certificate_file, "--key", options.certificate->key_file});
    if (options.tls_from_the_start) command.emplace_back("--tls");
  }
  if (!options.login.empty()) command.insert(command.end(), {"--login", options.login});
  return command;
}

}  // namespace

SmtpServer::SmtpServer(const std::string& behaviour, const SmtpServerOptions& options) {
  child_.emplace(command_of(behaviour, folder_.path(), options), folder_ / "err");
  const std::string port = child_->read_line();
  INFO(contents_of(folder_ / "err"));
  REQUIRE_FALSE(port.empty());
  port_ = static_cast<std::uint16_t>(std::stoi(port));
}

std::vector<std::string> SmtpServer::mails() const {
  std::vector<std::string> all;
  for (int number = 1;; ++number) {
    const auto file = folder_ / (std::to_string(number) + ".eml");
    if (!std::filesystem::exists(file)) return all;
    all.push_back(contents_of(file));
  }
}

std::size_t SmtpServer::talk(const std::string& line) const {
  std::ifstream in(folder_ / "talk");
  std::size_t found = 0;
  for (std::string one; std::getline(in, one);) found += one == line ? 1 : 0;
  return found;
}

}  // namespace holdfast::testing
