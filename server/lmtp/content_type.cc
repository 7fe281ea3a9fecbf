#include "server/lmtp/content_type.h"

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

constexpr std::size_t kParametersMax = 100;
constexpr std::string_view kTokenEnds = " \t\r\n;=\"(";

/// Reads from the front of a value; each step leaves what follows it.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() {
    skip_comments();
    return rest_.empty();
  }
  bool take(char c) {
    skip_comments();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string token_or_quoted() {
    skip_comments();
    return rest_.starts_with('"') ? quoted() : std::string(token());
  }
  std::string_view token() {
    skip_comments();
    const auto taken = rest_.substr(0, rest_.find_first_of(kTokenEnds));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  /// Where a parameter can't be read, go on behind the next semicolon.
  void skip_to_semicolon() { rest_.remove_prefix(std::min(rest_.find(';'), rest_.size())); }

 private:
  std::string quoted() {
    std::string out;
    for (rest_.remove_prefix(1); !rest_.empty(); rest_.remove_prefix(1)) {
      if (rest_[0] == '"') {
        rest_.remove_prefix(1);
        break;
      }
      if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      out += rest_[0];
    }
    return out;
  }
  /// Blanks, and comments in parentheses, which nest.
  void skip_comments() {
    for (int depth = 0; !rest_.empty(); rest_.remove_prefix(1)) {
      const char c = rest_[0];
      if (c == '(') {
        ++depth;
      } else if (depth == 0) {
        if (kSpaces.find(c) == std::string_view::npos) return;
      } else if (c == ')') {
        --depth;
      } else if (c == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      }
    }
  }

  std::string_view rest_;
};

}  // namespace

std::string ParameterizedValue::parameter(std::string_view name) const {
  for (const auto& [its_name, its_value] : parameters) {
    if (its_name == name) return its_value;
  }
  std::string joined;
  for (std::size_t piece = 0; piece < parameters.size(); ++piece) {
    const std::string wanted = std::string(name) + "*" + std::to_string(piece);
    bool found = false;
    for (const auto& [its_name, its_value] : parameters) {
      if (its_name != wanted) continue;
      joined += its_value;
      found = true;
      break;
    }
    if (!found) break;
  }
  return joined;
}

ParameterizedValue parse_parameterized(std::string_view text) {
  ParameterizedValue out;
  Reader reader(text);
  out.value = lower(reader.token());
  while (!reader.done() && out.parameters.size() < kParametersMax) {
    if (reader.take(';')) continue;
    std::string name = lower(reader.token());
    if (name.empty() || !reader.take('=')) {
      reader.skip_to_semicolon();
      continue;
    }
    out.parameters.emplace_back(std::move(name), reader.token_or_quoted());
    if (!reader.done() && !reader.take(';')) reader.skip_to_semicolon();
  }
  return out;
}

ParameterizedValue parse_content_type(std::string_view text) {
  auto out = parse_parameterized(text);
  const auto slash = out.value.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == out.value.size()) return {"text/plain", {}};
  return out;
}

}  // namespace holdfast::lmtp
