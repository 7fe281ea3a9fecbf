#include "tests/bench/options.h"

#include <CLI/CLI.hpp>

namespace holdfast::bench {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  bool quick = false;
  std::string folder = ".";
  CLI::App app("Holdfast on this machine, beside what the machine can do, in one run.", "holdfast-bench");
  app.footer(
      "Takes under four minutes, with --quick under one. Server, load and baselines share the cores: what matters are "
      "the ratios. Run it on an otherwise idle machine. `holdfast-bench mails` measures what unread messages cost when "
      "they become due as mails at once, `holdfast-bench storms` sessions: many at once, idle, far behind.");
  app.add_flag("--quick", quick, "one short round of everything");
  app.add_option("--folder", folder, "make the data directories here: the disk that is measured [.]")
      ->check(CLI::ExistingDirectory);
  app.add_option("--pairs", options.pairs, "[500]")->check(CLI::Range(1, 4'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.folder = std::filesystem::absolute(folder);
  if (!quick) return options;
  options.rounds = 1;
  options.baseline = Seconds(1);
  options.load = options.steady = Seconds(3);
  options.sessions = 500;
  options.cold_pairs = 500;
  return options;
}

}  // namespace holdfast::bench
