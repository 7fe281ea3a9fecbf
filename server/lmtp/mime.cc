#include "server/lmtp/mime.h"

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

class Parser {
 public:
  explicit Parser(const MimeBounds& bounds) : bounds_(bounds) {}

  Result<Part> parse(std::string_view bytes, std::size_t depth) {
    if (++parts_ > bounds_.parts_max)
      return Error{Errc::too_large, "a mail with more than " + std::to_string(bounds_.parts_max) + " parts"};
    auto split = split_header(bytes, bounds_.header);
    if (!split) return split.error();
    Part part;
    part.type = parse_content_type(split->header.first("content-type"));
    part.header = std::move(split->header);
    part.body = split->body;
    if (!part.is_multipart()) return part;
    if (depth == bounds_.depth_max)
      return Error{Errc::too_large, "a mail with parts more than " + std::to_string(depth) + " deep"};
    if (const Status parsed = parse_children(part, depth); !parsed) return parsed.error();
    return part;
  }

 private:
  Status parse_children(Part& part, std::size_t depth);

  const MimeBounds& bounds_;
  std::size_t parts_ = 0;
};

enum class Line { other, opens, closes };

/// What a line is to the multipart whose boundary this is (RFC 2046, 5.1.1).
Line kind_of(std::string_view line, std::string_view boundary) {
  if (!line.starts_with("--") || !line.substr(2).starts_with(boundary)) return Line::other;
  const auto behind = trim(line.substr(2 + boundary.size()), kBlanks);
  return behind.empty() ? Line::opens : behind == "--" ? Line::closes : Line::other;
}

/// The line's end before a boundary belongs to the boundary.
std::string_view without_last_line_end(std::string_view bytes) {
  if (bytes.ends_with('\n')) bytes.remove_suffix(1);
  if (bytes.ends_with('\r')) bytes.remove_suffix(1);
  return bytes;
}

Status Parser::parse_children(Part& part, std::size_t depth) {
  const std::string boundary = part.type.parameter("boundary");
  if (boundary.empty()) return Error{Errc::invalid_argument, "a multipart without a boundary"};
  std::string_view rest = part.body;
  const char* begin = nullptr;  // of the part that we are in; before the first boundary is nothing that counts
  const auto take_part = [&](const char* end) -> Status {
    if (begin == nullptr) return Ok{};
    const std::string_view bytes(begin, static_cast<std::size_t>(end - begin));
    auto child = parse(without_last_line_end(bytes), depth + 1);
    if (!child) return child.error();
    part.children.push_back(std::move(*child));
    return Ok{};
  };
  for (;;) {
    const char* at = rest.data();
    const auto line = take_line(rest);
    // Cut off before its last boundary: what is there counts.
    if (!line) return take_part(part.body.data() + part.body.size());
    const Line kind = kind_of(*line, boundary);
    if (kind == Line::other) continue;
    if (const Status taken = take_part(at); !taken) return taken;
    begin = part.body.data() + (part.body.size() - rest.size());
    if (kind == Line::closes) return Ok{};
  }
}

}  // namespace

bool Part::is_attachment() const {
  return parse_parameterized(header.first("content-disposition")).value == "attachment";
}

Result<Part> parse_mime(std::string_view message, const MimeBounds& bounds) { return Parser(bounds).parse(message, 0); }

}  // namespace holdfast::lmtp
