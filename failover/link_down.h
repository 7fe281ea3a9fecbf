/// How a connection to another node was lost, or could not be had: evidence for the failure detector.
#pragma once

#include <cstdint>

namespace holdfast::failover {

enum class LinkDown : std::uint8_t {
  closed,     ///< it was up and broke: end of file or a reset; the process may be gone
  refused,    ///< the node's kernel answers that nobody listens: its process is gone
  timed_out,  ///< nobody answers, or not in time: frozen, cut off or without power
};

constexpr const char* name_of(LinkDown how) {
  switch (how) {
    case LinkDown::closed: return "closed";
    case LinkDown::refused: return "refused";
    case LinkDown::timed_out: return "timed_out";
  }
  return "?";
}

}  // namespace holdfast::failover
