#include "tests/support/http_get.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <catch2/catch.hpp>
#include <sstream>

namespace holdfast::testing {
namespace {

constexpr int kAsksMax = 20'000;

/// Some servers keep the connection although they are asked not to: then the length says where the answer ends.
bool is_whole(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  std::string head = answer.substr(0, end);
  std::ranges::transform(head, head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto length = head.find("\r\ncontent-length:");
  return length != std::string::npos && answer.size() - end - 4 >= std::stoul(head.substr(length + 17));
}

/// What comes back until that is all; empty if nobody listens there.
std::string all_of_answer(std::uint16_t port, const std::string& request) {
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{20, 0};
  ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(peer, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 &&
      ::send(peer, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    std::array<char, 65536> some;
    for (ssize_t got; !is_whole(answer) && (got = ::recv(peer, some.data(), some.size(), 0)) > 0;)
      answer.append(some.data(), static_cast<std::size_t>(got));
  }
  ::close(peer);
  return answer;
}

}  // namespace

HttpAnswer http_get(std::uint16_t port, const std::string& path) {
  return http_request(port, {.method = "GET", .path = path, .headers = "", .body = ""});
}

HttpAnswer http_request(std::uint16_t port, const HttpAsked& asked) {
  const std::string length =
      asked.method == "GET" ? "" : "Content-Length: " + std::to_string(asked.body.size()) + "\r\n";
  const std::string text =
      all_of_answer(port, asked.method + " " + asked.path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                              length + asked.headers + "\r\n" + asked.body);
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
