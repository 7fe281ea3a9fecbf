/// holdfastd on a data directory of its own, the load that is put on it, and its figures.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/arrivals.h"
#include "tests/bench/child.h"

namespace holdfast::bench {

/// One sample a line, by the name it stands under: `holdfast_commits_total`, `…{database="log",what="flush"}`.
using Samples = std::map<std::string, double>;

class Server {
 public:
  /// Programs are beside us. `config`: sections of holdfast.toml. Returns when it takes clients.
  Server(const std::filesystem::path& folder, const std::string& config);
  ~Server();  ///< SIGTERM, and waits

  Samples metrics() const;
  Door door() const;
  std::filesystem::path data() const { return folder_ / "data"; }
  pid_t pid() const { return child_->pid(); }

  struct LoadFigures {
    double acked_per_s = 0;
    double delivered_per_s = 0;
    double ack_p50_ms = 0;
    double ack_p99_ms = 0;
    double delivery_p50_ms = 0;
    double delivery_p99_ms = 0;
    double cpu_us = 0;  ///< for a delivered message
    double delivered = 0;
  };
  /// holdfast-load with these arguments, of which the first says what it does: the numbers of its JSON, those within
  /// objects under `outer.inner`. Gives up if it finds anything wrong.
  std::map<std::string, double> tool(const std::vector<std::string>& arguments) const;
  /// holdfast-load messages with these arguments. Gives up if it finds anything wrong.
  LoadFigures load(const std::vector<std::string>& arguments) const;

 private:
  const std::filesystem::path folder_;
  const std::uint16_t port_;
  const std::uint16_t admin_port_;
  std::unique_ptr<Child> child_;
};

}  // namespace holdfast::bench
