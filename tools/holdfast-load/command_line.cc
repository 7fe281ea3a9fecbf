#include "tools/holdfast-load/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/version.h"
#include "tools/holdfast-load/messages_command.h"
#include "tools/holdfast-load/run_command.h"

namespace holdfast::load {
namespace {

template <class T>
Asked asked_or_explained(Result<T> options) {
  if (options) return std::move(*options);
  std::cerr << "holdfast-load: " << options.error().message << "\n";
  return static_cast<int>(kExitUsage);
}

CLI::App* add_worker(CLI::App& app, WorkerOptions& options) {
  auto* worker = app.add_subcommand("worker", "makes load for a conductor on another machine (--workers-at there)");
  worker->add_option("--operator-key", options.operator_key_file,
                     "operator.key of the server; who conducts has the same [data/operator.key]");
  auto* listen = worker->add_option("--listen", options.listen, "HOST:PORT to wait for conductors at");
  auto* conductor = worker->add_option("--conductor", options.conductor, "");
  conductor->group("");  // for our own processes
  listen->excludes(conductor);
  return worker;
}

}  // namespace

Asked parse_command_line(int argc, char** argv) {
  CLI::App app("Load for a Holdfast server, and a check of everything it answers.", "holdfast-load");
  app.set_version_flag("--version", "holdfast-load " + std::string(kVersion));
  app.require_subcommand(1);
  MessagesCommand messages(app);
  std::vector<std::unique_ptr<RunCommand>> runs;
  for (auto* make : {&storm_command, &catchup_command, &idle_command, &groups_command, &mix_command, &hostile_command})
    runs.push_back(make(app));
  WorkerOptions worker_options;
  auto* worker = add_worker(app, worker_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(kExitGood) : static_cast<int>(kExitUsage);
  }
  if (messages.asked()) return asked_or_explained(messages.options());
  for (const auto& run : runs)
    if (run->asked()) return asked_or_explained(run->options());
  if (worker->parsed() && (worker_options.conductor != 0 || !worker_options.listen.empty())) return worker_options;
  std::cerr << "holdfast-load: worker wants --listen HOST:PORT\n";
  return static_cast<int>(kExitUsage);
}

}  // namespace holdfast::load
