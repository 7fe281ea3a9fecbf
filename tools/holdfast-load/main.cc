// holdfast-load: load for a server, and a check of everything it answers. See options.cc for its help.
#include <boost/asio/io_context.hpp>
#include <variant>

#include "base/start.h"
#include "net/task_group.h"
#include "tools/holdfast-load/load.h"

using namespace holdfast;

namespace {

Awaitable<void> run(load::Load* load, int* code) { *code = co_await load->run(); }

}  // namespace

int main(int argc, char** argv) {
  start_process();
  auto options = load::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;

  int code = load::kExitNotStarted;
  boost::asio::io_context io(1);
  load::Load load(io.get_executor(), std::get<load::Options>(options));
  TaskGroup tasks(io.get_executor());
  tasks.spawn("load", run(&load, &code));
  io.run();
  return code;
}
