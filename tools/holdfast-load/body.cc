#include "tools/holdfast-load/body.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace holdfast::load {
namespace {

/// Letters that no compression finds anything in (splitmix64, six bits a letter), so that what is written to disk is
/// not flattered.
void fill(std::string& body, std::uint64_t seed) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t i = 0; i < body.size();) {
    std::uint64_t bits = seed += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    for (std::size_t end = std::min(body.size(), i + 10); i < end; bits >>= 6) body[i++] = kLetters[bits & 63];
  }
}

}  // namespace

std::string make_body(std::uint32_t pair, std::uint64_t sequence, std::uint32_t bytes) {
  HF_CHECK(bytes >= kBodyBytesMin, "two numbers and two spaces fit");
  std::string body(bytes, ' ');
  fill(body, std::uint64_t{pair} << 40 ^ sequence);
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
