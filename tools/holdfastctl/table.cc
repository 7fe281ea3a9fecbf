#include "tools/holdfastctl/table.h"

#include <algorithm>

namespace holdfast::ctl {
namespace {

/// Letters of UTF-8 count once.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string line_of(const Row& row, const std::vector<std::size_t>& widths, bool colour) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Cell& cell = row[i];
    const std::string filler(widths[i] - width_of(cell.text), ' ');
    const bool last = i + 1 == row.size();
    line += (cell.right ? filler : "") + toned(cell.text, cell.tone, colour) + (cell.right || last ? "" : filler) +
            (last ? "" : "  ");
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string toned(const std::string& text, Tone tone, bool colour) {
  if (!colour || tone == Tone::plain) return text;
  const char* code = tone == Tone::good ? "\033[32m" : tone == Tone::warn ? "\033[33m" : "\033[31m";
  return code + text + "\033[0m";
}

std::string render_table(const std::vector<std::string>& heading, const std::vector<Row>& rows, bool colour) {
  std::vector<std::size_t> widths;
  for (const std::string& one : heading) widths.push_back(width_of(one));
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  Row first;
  for (std::size_t i = 0; i < heading.size(); ++i) {
    first.emplace_back(heading[i]);
    first.back().right = !rows.empty() && rows.front()[i].right;
  }
  std::string out = line_of(first, widths, false);
  for (const Row& row : rows) out += line_of(row, widths, colour);
  return out;
}

}  // namespace holdfast::ctl
