#include "proto/frame.h"

#include <catch2/catch.hpp>
#include <vector>

#include "proto/client.pb.h"

namespace holdfast {
namespace {

/// Feeds `stream` in the pieces given and returns the payloads.
std::vector<std::string> decode(FrameDecoder& decoder, const std::vector<std::string_view>& pieces) {
  std::vector<std::string> payloads;
  for (auto piece : pieces) {
    for (;;) {
      auto frame = decoder.next(piece);
      REQUIRE(frame);
      if (!*frame) break;
      payloads.emplace_back(**frame);
    }
    REQUIRE(piece.empty());
  }
  return payloads;
}

std::string three_frames() {
  std::string stream;
  append_frame(stream, "a");
  append_frame(stream, std::string(300, 'b'));
  append_frame(stream, "cc");
  return stream;
}

const std::vector<std::string> kThree = {"a", std::string(300, 'b'), "cc"};

TEST_CASE("Frame: a message becomes its length in big-endian and its bytes") {
  v1::ServerFrame message;
  message.set_request_id(7);
  message.mutable_done();
  std::string out = "before";
  append_frame(out, message);
  const auto bytes = message.SerializeAsString();
  REQUIRE(out == "before" + std::string("\0\0\0", 3) + static_cast<char>(bytes.size()) + bytes);

  std::string big;
  append_frame(big, std::string(0x010203, 'x'));
  REQUIRE(big.substr(0, 4) == std::string("\x00\x01\x02\x03", 4));
}

TEST_CASE("FrameDecoder: frames come out the same wherever the stream is cut in two") {
  const auto stream = three_frames();
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    FrameDecoder decoder;
    const std::string_view all = stream;
    REQUIRE(decode(decoder, {all.substr(0, cut), all.substr(cut)}) == kThree);
    REQUIRE(decoder.between_frames());
  }
}

TEST_CASE("FrameDecoder: frames come out the same byte by byte") {
  const auto stream = three_frames();
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < stream.size(); ++i) pieces.push_back(std::string_view(stream).substr(i, 1));
  FrameDecoder decoder;
  REQUIRE(decode(decoder, pieces) == kThree);
}

TEST_CASE("FrameDecoder: a frame that lies whole in the input is a view into it, and nothing is kept") {
  const auto stream = three_frames();
  FrameDecoder decoder;
  std::string_view input = stream;
  for (const auto& expected : kThree) {
    auto frame = decoder.next(input);
    REQUIRE(frame);
    REQUIRE(**frame == expected);
    REQUIRE((*frame)->data() >= stream.data());
    REQUIRE((*frame)->data() + (*frame)->size() <= stream.data() + stream.size());
    REQUIRE(decoder.buffered_bytes() == 0);
  }
  REQUIRE(input.empty());
}

TEST_CASE("FrameDecoder: the memory of a split frame is given back once the input is used up") {
  const auto stream = three_frames();
  const std::string_view all = stream;
  FrameDecoder decoder;
  decode(decoder, {all.substr(0, 200)});
  REQUIRE(decoder.heap_bytes() >= 190);
  REQUIRE_FALSE(decoder.between_frames());
  decode(decoder, {all.substr(200)});
  REQUIRE(decoder.heap_bytes() == 0);
  REQUIRE(decoder.between_frames());
}

TEST_CASE("FrameDecoder: a length alone takes no memory") {
  FrameDecoder decoder;
  decode(decoder, {std::string_view("\x00\x01\x00\x00", 4)});
  REQUIRE(decoder.heap_bytes() == 0);
  REQUIRE_FALSE(decoder.between_frames());
}

TEST_CASE("FrameDecoder: a length beyond the bound fails at the length, for good") {
  for (std::size_t cut : {0U, 1U, 3U, 4U}) {
    FrameDecoder decoder(1000);
    std::string bytes("\x00\x00\x03\xe9", 4);  // 1001
    bytes += std::string(1001, 'x');
    std::string_view head = std::string_view(bytes).substr(0, cut);
    std::string_view tail = std::string_view(bytes).substr(cut);
    auto first = decoder.next(head);
    auto second = decoder.next(tail);
    REQUIRE(first.operator bool() == (cut < 4));
    REQUIRE_FALSE(second);
    REQUIRE(second.error().code == Errc::too_large);
    REQUIRE(second.error().message.find("1000") != std::string::npos);
    REQUIRE(decoder.heap_bytes() == 0);
    std::string_view good("\x00\x00\x00\x01x", 5);
    REQUIRE_FALSE(decoder.next(good));
  }
}

TEST_CASE("FrameDecoder: the bound itself passes") {
  FrameDecoder decoder(1000);
  std::string stream;
  append_frame(stream, std::string(1000, 'x'));
  REQUIRE(decode(decoder, {stream}) == std::vector<std::string>{std::string(1000, 'x')});
}

TEST_CASE("FrameDecoder: a zero length is refused, also behind a good frame") {
  FrameDecoder decoder;
  std::string stream;
  append_frame(stream, "ok");
  stream += std::string(4, '\0');
  std::string_view input = stream;
  auto good = decoder.next(input);
  REQUIRE(good);
  REQUIRE(**good == "ok");
  auto zero = decoder.next(input);
  REQUIRE_FALSE(zero);
  REQUIRE(zero.error().code == Errc::invalid_argument);
}

}  // namespace
}  // namespace holdfast
