#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "base/start.h"

int main(int argc, char** argv) {
  holdfast::start_process();
  return Catch::Session().run(argc, argv);
}
