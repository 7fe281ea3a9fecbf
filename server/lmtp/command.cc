#include "server/lmtp/command.h"

#include <algorithm>
#include <array>

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

struct Named {
  std::string_view name;
  Verb verb;
};

constexpr std::array<Named, 18> kVerbs = {{
    {"LHLO", Verb::lhlo},
    {"MAIL", Verb::mail},
    {"RCPT", Verb::rcpt},
    {"DATA", Verb::data},
    {"RSET", Verb::rset},
    {"NOOP", Verb::noop},
    {"QUIT", Verb::quit},
    {"VRFY", Verb::vrfy},
    {"HELO", Verb::not_implemented},
    {"EHLO", Verb::not_implemented},
    {"EXPN", Verb::not_implemented},
    {"HELP", Verb::not_implemented},
    {"TURN", Verb::not_implemented},
    {"AUTH", Verb::not_implemented},
    {"BDAT", Verb::not_implemented},
    {"ETRN", Verb::not_implemented},
    {"STARTTLS", Verb::not_implemented},
    {"XCLIENT", Verb::not_implemented},
}};

constexpr std::size_t kAddressBytesMax = 254;

/// "<@relay,@other:ada@example.org>" is an old way to write "<ada@example.org>".
std::string_view without_source_route(std::string_view path) {
  if (!path.starts_with('@')) return path;
  const auto colon = path.find(':');
  return colon == std::string_view::npos ? path : path.substr(colon + 1);
}

/// Where the path's closing bracket is: not in a quoted local part.
std::size_t find_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '>' && !quoted) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

Command read_command(std::string_view line) {
  const auto name = line.substr(0, line.find(' '));
  const auto* found =
      std::find_if(kVerbs.begin(), kVerbs.end(), [name](const Named& one) { return same_text(one.name, name); });
  return {found == kVerbs.end() ? Verb::unknown : found->verb, trim(line.substr(name.size()), kBlanks)};
}

std::optional<Path> read_path(std::string_view argument, std::string_view keyword) {
  if (!begins_with_text(argument, keyword)) return std::nullopt;
  argument = trim(argument.substr(keyword.size()), kBlanks);
  if (!argument.starts_with('<')) return std::nullopt;
  const auto end = find_end(argument);
  if (end == std::string_view::npos) return std::nullopt;
  Path path;
  path.address = without_source_route(argument.substr(1, end - 1));
  if (path.address.size() > kAddressBytesMax) return std::nullopt;
  auto rest = argument.substr(end + 1);
  if (!rest.empty() && !rest.starts_with(' ')) return std::nullopt;
  for (rest = trim(rest, kBlanks); !rest.empty(); rest = trim(rest, kBlanks)) {
    const auto parameter = rest.substr(0, rest.find(' '));
    rest.remove_prefix(parameter.size());
    const auto equals = std::min(parameter.find('='), parameter.size());
    path.parameters.emplace_back(parameter.substr(0, equals), parameter.substr(std::min(equals + 1, parameter.size())));
  }
  return path;
}

}  // namespace holdfast::lmtp
