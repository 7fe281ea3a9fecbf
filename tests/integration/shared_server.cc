#include "tests/integration/shared_server.h"

namespace holdfast::testing {

ServerProcess& shared_server() {
  static ServerProcess server;
  return server;
}

}  // namespace holdfast::testing
