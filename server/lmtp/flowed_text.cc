#include "server/lmtp/flowed_text.h"

#include <algorithm>
#include <optional>

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

constexpr std::string_view kSignature = "-- ";

struct Line {
  std::size_t quote_depth;
  std::string_view text;  ///< without quote marks and space-stuffing
  bool flows;             ///< goes on in the next line
};

Line read_line(std::string_view line) {
  const auto depth = std::min(line.find_first_not_of('>'), line.size());
  line.remove_prefix(depth);
  if (line.starts_with(' ')) line.remove_prefix(1);  // stuffed (4.4)
  return {depth, line, line.ends_with(' ') && line != kSignature};
}

}  // namespace

std::string unflow(std::string_view text, bool delete_space) {
  std::string out;
  std::optional<Line> before;  // a line that flows into the next one
  while (const auto raw = take_line(text)) {
    const Line line = read_line(*raw);
    const bool joins = before && before->quote_depth == line.quote_depth && line.text != kSignature;
    if (before && !joins) out += '\n';  // a paragraph that never ended: the sender's mistake (4.5)
    if (!joins) {
      out.append(line.quote_depth, '>');
      if (line.quote_depth > 0) out += ' ';
    }
    const bool drops_space = line.flows && delete_space;
    out += line.text.substr(0, line.text.size() - (drops_space ? 1 : 0));
    before = line.flows ? std::optional(line) : std::nullopt;
    if (!before) out += '\n';
  }
  return out;
}

}  // namespace holdfast::lmtp
