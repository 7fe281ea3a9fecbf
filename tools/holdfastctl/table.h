/// A table for people: columns as wide as their widest cell, two blanks between, numbers to the right. Pure.
#pragma once

#include <string>
#include <vector>

namespace holdfast::ctl {

enum class Tone : std::uint8_t { plain, good, warn, bad };

struct Cell {
  Cell(std::string t, Tone tone_of_it = Tone::plain) : text(std::move(t)), tone(tone_of_it) {}  // NOLINT: implicit
  Cell(const char* t) : text(t) {}                                                              // NOLINT
  Cell(std::uint64_t number) : text(std::to_string(number)), right(true) {}                     // NOLINT
  std::string text;
  Tone tone = Tone::plain;
  bool right = false;
};
using Row = std::vector<Cell>;

/// `text` in the tone's colour, or as it is.
std::string toned(const std::string& text, Tone tone, bool colour);

/// The heading, then the rows, each ending in a line break; trailing blanks are left out. Rows as long as the heading.
std::string render_table(const std::vector<std::string>& heading, const std::vector<Row>& rows, bool colour);

}  // namespace holdfast::ctl
