#include "server/lmtp/header_fields.h"

#include <algorithm>

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

/// RFC 5322, 3.6.8: printable ASCII without the colon. (4.5.8 lets blanks stand before the colon.)
bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127 && c != ':'; });
}

}  // namespace

std::string_view HeaderFields::first(std::string_view name) const {
  for (const Field& field : fields_) {
    if (field.name == name) return field.value;
  }
  return {};
}

bool HeaderFields::has(std::string_view name) const { return count(name) > 0; }

std::size_t HeaderFields::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(), [name](const Field& field) { return field.name == name; }));
}

void HeaderFields::add_line(std::string_view line) {
  const bool folded = line.front() == ' ' || line.front() == '\t';
  if (folded) {
    if (continues_) fields_.back().value += " " + std::string(trim(line));
    return;
  }
  const auto colon = line.find(':');
  const auto name = trim(line.substr(0, colon), kBlanks);
  continues_ = colon != std::string_view::npos && is_field_name(name);
  if (continues_) fields_.push_back({lower(name), std::string(trim(line.substr(colon + 1)))});
}

Result<HeaderAndBody> split_header(std::string_view message, const HeaderBounds& bounds) {
  HeaderAndBody out;
  std::string_view rest = message;
  while (const auto line = take_line(rest)) {
    if (line->empty()) break;
    if (message.size() - rest.size() > bounds.header_bytes_max)
      return Error{Errc::too_large, "a header has more than " + std::to_string(bounds.header_bytes_max) + " bytes"};
    out.header.add_line(*line);
    if (out.header.fields_.size() > bounds.fields_max)
      return Error{Errc::too_large, "a header has more than " + std::to_string(bounds.fields_max) + " fields"};
  }
  out.body = rest;
  return out;
}

}  // namespace holdfast::lmtp
