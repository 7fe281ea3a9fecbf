#include "tools/holdfast-load/refusal.h"

#include <cctype>

namespace holdfast::load {

Refusal refusal_kind(std::string_view reason) {
  if (reason.find("timed out") != std::string_view::npos || reason.find("took too long") != std::string_view::npos)
    return Refusal::timed_out;
  if (reason.starts_with("can't connect to")) return Refusal::unreachable;
  return Refusal::refused;
}

const char* name_of(Refusal kind) {
  switch (kind) {
    case Refusal::refused: return "refused";
    case Refusal::timed_out: return "timed_out";
    case Refusal::unreachable: return "unreachable";
  }
  return "refused";
}

std::string plain_reason(std::string_view reason) {
  std::string plain;
  for (std::size_t i = 0; i < reason.size(); ++i) {
    const bool digit = std::isdigit(static_cast<unsigned char>(reason[i])) != 0;
    if (!digit) plain += reason[i];
    if (digit && (plain.empty() || plain.back() != '#')) plain += '#';
  }
  return plain;
}

}  // namespace holdfast::load
