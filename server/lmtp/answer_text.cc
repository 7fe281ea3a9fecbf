#include "server/lmtp/answer_text.h"

#include <algorithm>
#include <vector>

#include "server/lmtp/ascii.h"
#include "server/lmtp/quote_lines.h"

namespace holdfast::lmtp {
namespace {

constexpr std::size_t kAttributionLines = 4;  // over so many an attribution is broken to travel

/// A mail's lines, and which of them are the sender's own.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    while (const auto line = take_line(text)) {
      as_written_.push_back(*line);
      compared_.push_back(comparable(*line));
    }
    dropped_.resize(as_written_.size());
  }

  std::string answer() {
    end_ = as_written_.size();
    cut_repetition();
    drop_quotes();
    cut_signature();
    drop_program_signatures();
    return text();
  }

 private:
  bool is_blank(std::size_t i) const { return compared_[i].empty(); }
  bool is_quoted(std::size_t i) const { return compared_[i].starts_with('>'); }
  std::size_t next_not_blank(std::size_t i) const {
    while (i < end_ && is_blank(i)) ++i;
    return i;
  }

  /// How many lines from `i` on are one attribution; 0: none. The shortest one: what stands directly above it is text,
  /// even if it begins with the same word.
  std::size_t attribution_at(std::size_t i) const {
    const std::size_t length = longest_attribution_at(i);
    for (std::size_t later = 1; later < length; ++later) {
      if (longest_attribution_at(i + later) == length - later) return 0;
    }
    return length;
  }
  std::size_t longest_attribution_at(std::size_t i) const {
    if (!may_begin_attribution(compared_[i])) return 0;
    std::string joined;
    for (std::size_t n = 0; n < kAttributionLines && i + n < end_; ++n) {
      if (is_blank(i + n) || is_quoted(i + n)) return 0;
      joined += (joined.empty() ? "" : " ") + compared_[i + n];
      if (is_attribution(joined)) return n + 1;
    }
    return 0;
  }

  /// Where the mail that is answered begins to be repeated without quote marks, nothing below is the sender's.
  void cut_repetition() {
    for (std::size_t i = 0; i < end_; ++i) {
      if (is_quoted(i)) continue;
      const std::span<const std::string> from_here = std::span(compared_).subspan(i, end_ - i);
      if (is_marker(compared_[i]) || is_original_message(compared_[i]) || is_header_block(from_here)) {
        end_ = i;
        while (end_ > 0 && is_rule(end_ - 1)) --end_;
        return drop_attribution_at_end();
      }
      const auto length = attribution_at(i);
      if (length == 0) continue;
      const auto behind = next_not_blank(i + length);
      if (behind < end_ && is_quoted(behind)) {
        drop(i, i + length);
        i += length - 1;
        continue;
      }
      end_ = i;
      return;
    }
  }

  /// The line that Outlook draws above what it repeats, and blank ones around it.
  bool is_rule(std::size_t i) const { return is_blank(i) || compared_[i].find_first_not_of('_') == std::string::npos; }

  /// Above our marker there may be an attribution that found no quote.
  void drop_attribution_at_end() {
    for (std::size_t n = 1; n <= kAttributionLines && n <= end_; ++n) {
      if (attribution_at(end_ - n) == n) end_ -= n;
    }
  }

  void drop_quotes() {
    for (std::size_t i = 0; i < end_; ++i) {
      if (is_quoted(i)) drop(i, i + 1);
    }
  }

  void drop(std::size_t from, std::size_t to) { std::fill(dropped_.begin() + from, dropped_.begin() + to, true); }

  /// "-- ": what follows is the sender's signature (RFC 3676, 4.3). Some programs lose the blank.
  void cut_signature() {
    for (std::size_t i = 0; i < end_; ++i) {
      if (!dropped_[i] && (as_written_[i] == "-- " || as_written_[i] == "--")) end_ = i;
    }
  }

  void drop_program_signatures() {
    for (std::size_t i = end_; i > 0; --i) {
      if (dropped_[i - 1] || is_blank(i - 1)) continue;
      if (!is_program_signature(compared_[i - 1])) return;
      drop(i - 1, i);
    }
  }

  std::string text() const {
    std::string out;
    bool gap = false;  // blank or dropped lines since the last own one; dropped ones leave one blank line at most
    std::size_t blanks = 0;
    for (std::size_t i = 0; i < end_; ++i) {
      if (dropped_[i]) {
        gap = true;
      } else if (is_blank(i)) {
        ++blanks;
      } else {
        if (!out.empty()) out.append(1 + (gap ? 1 : blanks), '\n');
        out += without_blanks_at_end(as_written_[i]);
        gap = false;
        blanks = 0;
      }
    }
    return out;
  }

  static std::string_view without_blanks_at_end(std::string_view line) {
    return line.substr(0, line.find_last_not_of(kBlanks) + 1);
  }

  std::vector<std::string_view> as_written_;
  std::vector<std::string> compared_;
  std::vector<bool> dropped_;
  std::size_t end_ = 0;  ///< lines from here on are not the sender's
};

}  // namespace

std::string answer_of(std::string_view text) { return Lines(text).answer(); }

}  // namespace holdfast::lmtp
