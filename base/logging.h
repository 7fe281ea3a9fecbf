/// Logs: one event, one line, keys not prose: `promoted partition=12 epoch=7`. Never a body, a token, a password or an
/// address. Text on a terminal, one JSON object a line otherwise, through spdlog's asynchronous logger.
#pragma once

#include <string>

namespace holdfast {

struct LogOptions {
  std::string level = "info";  ///< debug, info, warning, error
  bool json = false;
};

/// Sets spdlog's default logger, to standard error. Once, at the start, before there are threads.
void start_logging(const LogOptions& options);
/// Writes what is queued. At the end of main().
void stop_logging();

}  // namespace holdfast
