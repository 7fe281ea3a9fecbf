/// Connections that come, ask once and are answered: bare, and as resumed sessions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/measuring.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::bench {

struct Arrivals {
  double per_second = 0;
  double server_cpu_us = 0;  ///< for one
};

/// accept, one request of 64 bytes, one answer, with epoll and nothing else; a child process's whole life.
int serve_answers(std::uint16_t port);
/// 200 connections under way at any time.
Arrivals measure_answers(Seconds time, const std::string& log);

struct Door {
  std::uint16_t port = 0;
  std::string operator_key_file;
  pid_t pid = 0;
};
/// New users, each with a session.
std::vector<load::ProvisionedUser> provision_sessions(const Door& door, std::size_t count);
/// So many provisioned sessions resume at once; the median of `rounds`.
Arrivals measure_resumes(const Door& door, std::size_t sessions, int rounds);

}  // namespace holdfast::bench
