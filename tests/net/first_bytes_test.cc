#include "net/first_bytes.h"

#include <catch2/catch.hpp>
#include <string>

namespace holdfast {
namespace {

struct Row {
  std::string_view first;
  FirstBytes kind;
};

TEST_CASE("First bytes: each protocol is told by its grammar, as early as the bytes allow") {
  using namespace std::string_view_literals;
  const Row rows[] = {
      {""sv, FirstBytes::need_more},
      // TLS: two bytes decide.
      {"\x16"sv, FirstBytes::need_more},
      {"\x16\x03"sv, FirstBytes::tls},
      {"\x16\x03\x01\x02\x00\x01"sv, FirstBytes::tls},
      {"\x16\x02"sv, FirstBytes::garbage},
      {"\x15\x03"sv, FirstBytes::garbage},
      // HTTP: "GET " decides; other methods have no business here.
      {"G"sv, FirstBytes::need_more},
      {"GET"sv, FirstBytes::need_more},
      {"GET "sv, FirstBytes::websocket},
      {"GET / HTTP/1.1\r\n"sv, FirstBytes::websocket},
      {"GEX"sv, FirstBytes::garbage},
      {"get "sv, FirstBytes::garbage},
      {"POST"sv, FirstBytes::garbage},
      {"P"sv, FirstBytes::garbage},
      // Native: a length from 1 to the bound, here 128 KiB = 00 02 00 00.
      {"\x00"sv, FirstBytes::need_more},
      {"\x00\x00\x00"sv, FirstBytes::need_more},
      {"\x00\x00\x00\x01"sv, FirstBytes::native},
      {"\x00\x02\x00\x00"sv, FirstBytes::native},
      {"\x00\x02\x00\x01"sv, FirstBytes::garbage},
      {"\x00\x02\x00"sv, FirstBytes::need_more},
      {"\x00\x02\x01"sv, FirstBytes::garbage},
      {"\x00\x03"sv, FirstBytes::garbage},
      {"\x00\x00\x00\x00"sv, FirstBytes::garbage},
      // Anything else.
      {"\x01"sv, FirstBytes::garbage},
      {"\xff\xff\xff\xff"sv, FirstBytes::garbage},
      {"SSH-2.0-x"sv, FirstBytes::garbage},
  };
  for (const auto& row : rows) {
    INFO("bytes: " << std::string(row.first));
    CHECK(std::string(name_of(detect(row.first))) == name_of(row.kind));
  }
}

TEST_CASE("First bytes: four bytes always decide, and a decision never changes with more bytes") {
  const unsigned char some[] = {0x00, 0x01, 0x02, 0x03, 0x16, 'G', 'E', 'T', ' ', 0xff};
  for (auto a : some)
    for (auto b : some)
      for (auto c : some)
        for (auto d : some) {
          const std::string bytes = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c),
                                     static_cast<char>(d)};
          const auto last = detect(bytes);
          REQUIRE(last != FirstBytes::need_more);
          for (std::size_t n = 0; n < bytes.size(); ++n) {
            const auto early = detect(std::string_view(bytes).substr(0, n));
            REQUIRE((early == FirstBytes::need_more || early == last));
          }
        }
}

}  // namespace
}  // namespace holdfast
