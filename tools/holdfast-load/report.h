/// What a run came to: for eyes, and as JSON for scripts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "tools/holdfast-load/checker.h"
#include "tools/holdfast-load/figures.h"
#include "tools/holdfast-load/options.h"

namespace holdfast::load {

struct Report {
  const Options* options = nullptr;
  const Figures* figures = nullptr;
  std::chrono::duration<double> measured{0};
  // While measuring: what the rates are made of.
  std::uint64_t acked_measured = 0;
  std::uint64_t delivered_measured = 0;

  Checker::Findings findings;
  std::uint64_t unacknowledged = 0;
  std::uint64_t history_checked = 0;
  std::uint64_t resumed = 0;
  std::uint64_t logins = 0;
  std::uint64_t kills = 0;
  std::optional<std::chrono::duration<double>> server_cpu;  ///< while measuring
  std::optional<std::int64_t> server_pid;

  /// Nothing to complain about.
  bool good() const;
  std::optional<double> cpu_us_per_message() const;
};

std::string to_text(const Report& report);
std::string to_json(const Report& report);
/// One line of the way there.
std::string progress_line(std::chrono::duration<double> at, double acked_per_s, double delivered_per_s,
                          const Figures& figures);
/// Fails with io.
Status write_file(const std::string& path, const std::string& text);

}  // namespace holdfast::load
