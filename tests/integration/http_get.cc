#include "tests/integration/http_get.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/integration/raw_client.h"

namespace holdfast::testing {
namespace {

constexpr int kAsksMax = 20'000;

}  // namespace

HttpAnswer http_get(std::uint16_t port, const std::string& path) {
  RawClient socket(port);
  socket.send_bytes("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string text = socket.read_to_end();
  INFO(text.substr(0, 200));
  REQUIRE(text.starts_with("HTTP/1.1 "));
  const auto end = text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  return {std::stoi(text.substr(9)), text.substr(0, end), text.substr(end + 4)};
}

double metric(std::uint16_t admin_port, const std::string& name_part) {
  std::istringstream lines(http_get(admin_port, "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto space = line.rfind(' ');
    if (space == std::string::npos || line.find(name_part) > space) continue;
    sum += std::stod(line.substr(space));
  }
  return sum;
}

bool eventually(const std::function<bool()>& is_so) {
  for (int i = 0; i < kAsksMax; ++i)
    if (is_so()) return true;
  return false;
}

}  // namespace holdfast::testing
