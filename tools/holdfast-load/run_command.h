/// What the commands with workers have in common on the command line. Each of them (storm_command.cc and so on) adds a
/// sub-command and what only that one has.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tools/holdfast-load/run_options.h"

namespace holdfast::load {

/// The app outlives it; options() counts once that has parsed.
class RunCommand {
 public:
  RunCommand(CLI::App& app, const std::string& name, const std::string& what);
  virtual ~RunCommand() = default;
  RunCommand(const RunCommand&) = delete;
  RunCommand& operator=(const RunCommand&) = delete;

  bool asked() const { return command_->parsed(); }
  /// Fails with invalid_argument.
  Result<RunOptions> options();

 protected:
  /// What only this command has.
  virtual Status complete(RunOptions& options) = 0;

  CLI::App& command() { return *command_; }
  RunOptions& given() { return given_; }
  Plan& plan() { return given_.plan; }
  void add_sessions(std::uint64_t at_first, std::uint64_t least);
  void add_live(std::uint64_t pairs_at_first, double rate_at_first);

 private:
  Status find_servers(RunOptions& options) const;
  Status find_watched(RunOptions& options) const;

  CLI::App* command_;
  RunOptions given_;
  std::string servers_ = "127.0.0.1:7400";
  std::string metrics_, workers_at_, server_pids_;
  bool tls_ = false, websocket_ = false;
};

std::unique_ptr<RunCommand> storm_command(CLI::App& app);
std::unique_ptr<RunCommand> catchup_command(CLI::App& app);
std::unique_ptr<RunCommand> idle_command(CLI::App& app);
std::unique_ptr<RunCommand> groups_command(CLI::App& app);
std::unique_ptr<RunCommand> mix_command(CLI::App& app);
std::unique_ptr<RunCommand> hostile_command(CLI::App& app);

}  // namespace holdfast::load
