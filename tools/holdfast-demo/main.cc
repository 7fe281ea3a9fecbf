// holdfast-demo: a node of a cluster is killed while people chat, and nobody loses a word. See options.cc for its help.
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <variant>

#include "base/start.h"
#include "net/task_group.h"
#include "tools/holdfast-demo/film.h"

using namespace holdfast;

namespace {

Awaitable<void> run(demo::Film* film, int* code) { *code = co_await film->run(); }

}  // namespace

int main(int argc, char** argv) {
  start_process();
  auto options = demo::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  auto cluster = demo::DemoCluster::open(std::get<demo::Options>(options).cluster);
  if (!cluster) {
    std::cerr << "holdfast-demo: " << cluster.error().message << "\n";
    return demo::kExitUsage;
  }
  int code = demo::kExitNotStarted;
  boost::asio::io_context io(1);
  demo::Film film(io.get_executor(), std::get<demo::Options>(options), std::move(*cluster));
  TaskGroup tasks(io.get_executor());
  tasks.spawn("film", run(&film, &code));
  io.run();
  return code;
}
