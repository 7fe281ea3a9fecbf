// holdfast-load: load for a server, and a check of everything it answers. See the *_command.cc for its help.
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <variant>

#include "base/start.h"
#include "net/task_group.h"
#include "tools/holdfast-load/command_line.h"
#include "tools/holdfast-load/load.h"
#include "tools/holdfast-load/run.h"

using namespace holdfast;

namespace {

template <class Job>
Awaitable<void> do_job(Job* job, int* code) {
  *code = co_await job->run();
}

template <class Job>
int run_job(boost::asio::io_context& io, Job& job) {
  int code = load::kExitNotStarted;
  TaskGroup tasks(io.get_executor());
  tasks.spawn("load", do_job(&job, &code));
  io.run();
  return code;
}

int run_messages(const load::Options& options) {
  boost::asio::io_context io(1);
  load::Load load(io.get_executor(), options);
  return run_job(io, load);
}

bool on_loopback(const client::Endpoint& endpoint) {
  return endpoint.host.starts_with("127.") || endpoint.host == "localhost";
}

Result<load::Split> split_of(const load::RunOptions& options) {
  auto target = options.plan.target(options.operator_key_file);
  if (!target) return target.error();
  load::Wish wish;
  wish.sessions = options.plan.sessions + options.plan.connections;
  // On other machines the workers are what was given: each has its part of everything.
  (options.workers_at.empty() ? wish.live_sessions : wish.sessions) += 2 * options.plan.live_pairs;
  wish.rate = options.plan.rate;
  wish.processes = options.processes;
  if (wish.processes == 0 && !options.workers_at.empty())
    wish.processes = static_cast<unsigned>(options.workers_at.size());
  wish.loopback = std::all_of(target->endpoints.begin(), target->endpoints.end(), on_loopback);
  return load::split(wish, load::Machine::present());
}

int run_with_workers(const load::RunOptions& options) {
  auto split = split_of(options);
  if (!split) {
    std::cerr << "holdfast-load: " << split.error().message << "\n";
    return load::kExitUsage;
  }
  boost::asio::io_context io(1);
  load::Run run(io.get_executor(), options, std::move(*split));
  return run_job(io, run);
}

}  // namespace

int main(int argc, char** argv) {
  start_process();
  const auto asked = load::parse_command_line(argc, argv);
  if (const auto* options = std::get_if<load::Options>(&asked)) return run_messages(*options);
  if (const auto* options = std::get_if<load::RunOptions>(&asked)) return run_with_workers(*options);
  if (const auto* options = std::get_if<load::WorkerOptions>(&asked)) return load::run_worker(*options);
  return std::get<int>(asked);
}
