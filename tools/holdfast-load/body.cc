#include "tools/holdfast-load/body.h"

#include <charconv>

#include "base/check.h"

namespace holdfast::load {

std::string make_body(std::uint32_t pair, std::uint64_t sequence, std::uint32_t bytes) {
  HF_CHECK(bytes >= kBodyBytesMin, "two numbers and two spaces fit");
  std::string body(bytes, static_cast<char>('a' + sequence % 26));
  char* end = body.data() + body.size();
  char* at = std::to_chars(body.data(), end, pair).ptr;
  *at++ = ' ';
  at = std::to_chars(at, end, sequence).ptr;
  *at = ' ';
  return body;
}

std::optional<std::uint64_t> read_body(std::string_view body, std::uint32_t pair, std::uint32_t bytes) {
  if (body.size() != bytes) return std::nullopt;
  const std::size_t space = body.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::uint64_t sequence = 0;
  const auto read = std::from_chars(body.data() + space + 1, body.data() + body.size(), sequence);
  if (read.ec != std::errc() || body != make_body(pair, sequence, bytes)) return std::nullopt;
  return sequence;
}

}  // namespace holdfast::load
