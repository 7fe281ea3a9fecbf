/// docs/protocol.md shows bytes: they are what the server takes and gives.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <sstream>

#include "base/version.h"
#include "tests/integration/raw_client.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

using testing::RawClient;
using testing::shared_server;

bool is_hex_pair(const std::string& word) {
  return word.size() == 2 && word.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The bytes of the block behind the mark: each line's hex pairs, up to its words.
std::string bytes_in_doc(const std::string& mark) {
  const char* source = std::getenv("HOLDFAST_SOURCE");
  REQUIRE(source != nullptr);
  const std::string doc = testing::contents_of(std::string(source) + "/docs/protocol.md");
  const auto at = doc.find("<!-- checked by tests/integration: " + mark + " -->");
  REQUIRE(at != std::string::npos);
  const auto from = doc.find("```\n", at) + 4;
  std::istringstream lines(doc.substr(from, doc.find("```", from) - from));
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    for (std::string word; words >> word && is_hex_pair(word);)
      bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("docs/protocol.md: the bytes of Hello and its answer are as shown") {
  RawClient client(shared_server().port());
  REQUIRE(client.send_bytes(bytes_in_doc("hello")));
  v1::ServerFrame answer = client.read_frame();
  REQUIRE(answer.has_hello());

  const std::string shown = bytes_in_doc("answer");
  v1::ServerFrame parsed;
  REQUIRE(parsed.ParseFromString(shown.substr(kFrameHeaderBytes)));
  CHECK(parsed.hello().server() == "holdfast " + std::string(kVersion));
  answer.mutable_hello()->set_server_time_ms(parsed.hello().server_time_ms());
  std::string expected;
  append_frame(expected, answer);
  CHECK(shown == expected);
}

}  // namespace holdfast
