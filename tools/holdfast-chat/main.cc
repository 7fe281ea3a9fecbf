// holdfast-chat: a chat on a terminal, or for scripts. See options.cc for its help.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <clocale>
#include <variant>

#include "base/start.h"
#include "net/task_group.h"
#include "tools/holdfast-chat/chat.h"

using namespace holdfast;

namespace {

Awaitable<void> run(chat::Chat* chat, int* code) { *code = co_await chat->run(); }

}  // namespace

int main(int argc, char** argv) {
  start_process();
  std::setlocale(LC_CTYPE, "C.UTF-8");  // for the width of characters; everything else stays as in C
  auto options = chat::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  auto& chosen = std::get<chat::Options>(options);

  const bool interactive = !chosen.json && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  int code = chat::kExitOk;
  boost::asio::io_context io;
  chat::Screen screen(chosen.json, interactive);
  chat::Input input(io.get_executor(), screen);
  chat::Chat chat(io.get_executor(), std::move(chosen), screen, input);
  TaskGroup tasks(io.get_executor());
  tasks.spawn("chat", run(&chat, &code));
  io.run();
  return code;
}
