/// /status: what is going on, in words, for anybody. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/http/pages.h"

namespace holdfast::http {

struct StatusFigures {
  struct Note {
    std::int64_t time_ms = 0;
    std::string text;
  };
  struct Incident {
    std::int64_t since_ms = 0, until_ms = 0;  ///< until 0: open
    bool automatic = false;
    std::vector<Note> notes;  ///< oldest first
  };
  std::int64_t now_ms = 0;
  std::optional<std::int64_t> read_ms;  ///< when `incidents` were last read; nothing: they never could be
  std::vector<Incident> incidents;      ///< oldest first
  std::uint32_t partitions = 0;
  std::uint32_t unserved = 0;  ///< partitions that nobody leads at present, as far as this node knows
};

/// What the page says, as HTML.
std::string status_page(const StatusFigures& figures);

/// Answers GET /status. `figures` is asked for each request and does not block.
UserPages status_pages(std::function<StatusFigures()> figures);

}  // namespace holdfast::http
