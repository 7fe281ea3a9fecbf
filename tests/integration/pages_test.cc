#include <catch2/catch.hpp>

#include "tests/support/browser.h"
#include "tests/support/process.h"

namespace holdfast::testing {

TEST_CASE("Pages: the front page says that clients are taken, in a browser") {
  if (!can_run_browser()) return;
  const ServerProcess server;
  Browser browser;
  browser.open("http://127.0.0.1:" + std::to_string(server.http_port()) + "/");
  CHECK(browser.title() == "Holdfast");
  CHECK(browser.text(".state") == "taking clients");
  CHECK_FALSE(browser.has("script"));
}

}  // namespace holdfast::testing
