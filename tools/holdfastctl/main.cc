// holdfastctl: an operator's tool. See options.cc for its help.
#include "base/start.h"
#include "tools/holdfastctl/options.h"
#include "tools/holdfastctl/users.h"

int main(int argc, char** argv) {
  holdfast::start_process();
  auto options = holdfast::ctl::parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&options)) return *code;
  return holdfast::ctl::run_users(std::move(std::get<holdfast::ctl::Options>(options)));
}
