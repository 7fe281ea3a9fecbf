/// holdfastd: the chat server.
#include <cstdio>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/logging.h"
#include "base/start.h"
#include "server/config.h"
#include "server/node.h"

namespace {

std::string level_name(holdfast::LogLevel level) {
  switch (level) {
    case holdfast::LogLevel::debug: return "debug";
    case holdfast::LogLevel::info: return "info";
    case holdfast::LogLevel::warning: return "warning";
    case holdfast::LogLevel::error: return "error";
  }
  return "info";
}

bool wants_json(const holdfast::Config& config) {
  if (config.log_format == holdfast::LogFormat::automatic) return isatty(STDERR_FILENO) == 0;
  return config.log_format == holdfast::LogFormat::json;
}

int serve(const holdfast::Config& config) {
  auto node = holdfast::Node::start(config);
  if (!node) {
    std::fprintf(stderr, "holdfastd: %s\n", node.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", (*node)->welcome().c_str());
  std::fflush(stdout);
  return (*node)->run();
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::start_process();
  auto parsed = holdfast::parse_command_line(argc, argv);
  if (const auto* leave = std::get_if<holdfast::Leave>(&parsed)) {
    std::fputs(leave->out.c_str(), stdout);
    std::fputs(leave->err.c_str(), stderr);
    return leave->exit_code;
  }
  const auto& config = std::get<holdfast::Config>(parsed);
  holdfast::start_logging({.level = level_name(config.log_level), .json = wants_json(config)});
  const int code = serve(config);
  holdfast::stop_logging();
  return code;
}
