#include "tools/holdfast-demo/options.h"

#include <CLI/CLI.hpp>

#include "base/version.h"

namespace holdfast::demo {
namespace {

constexpr const char* kFooter = R"(
Exit codes: 0 nothing was lost, doubled or out of order; 1 something was; 2 wrong usage; 3 it could not start.

--json writes one object. Its keys, which stay: detected_ms (kill to the first survivor's verdict), promoted_ms (kill to
the last partition's new primary), back_ms (kill to the session's resumption elsewhere, of the clients of the killed node;
with p50, p99, max), lost, duplicated, out_of_order, drain_late_ms_max (the latest delivery while a node was drained);
besides them nodes, clients, clients_moved, messages, rejoined_ms, killed, drained, seconds.
)";

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  double seconds = 60;
  std::uint32_t clients = 60;
  CLI::App app("Kills a node of a running cluster under load, drains another, and tells what the clients saw.",
               "holdfast-demo");
  app.set_version_flag("--version", "holdfast-demo " + std::string(kVersion));
  app.footer(kFooter);
  app.add_option("--cluster", options.cluster, "the folder of the cluster")->required();
  app.add_option("--clients", clients, "clients that chat, in pairs [60]")->check(CLI::Range(2, 5'000));
  app.add_option("--rate", options.rate, "messages a second, all together [120]")->check(CLI::Range(1, 100'000));
  app.add_option("--seconds", seconds, "about how long it is to take [60]")->check(CLI::Range(20, 3'600));
  app.add_option("--json", options.json_file, "write the figures to this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(kExitGood) : static_cast<int>(kExitUsage);
  }
  options.pairs = std::max<std::uint32_t>(1, clients / 2);
  constexpr double kScenes = 7;
  options.act = std::chrono::duration<double>(seconds / kScenes);
  return options;
}

}  // namespace holdfast::demo
