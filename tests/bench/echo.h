/// An echo of frames over TCP with Asio and without anything else: what the machine and the event loop allow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/bench/measuring.h"

namespace holdfast::bench {

/// Serves for ever, with two threads of a loop each; a child process's whole life.
int serve_echo(std::uint16_t port);

struct EchoLoad {
  std::size_t connections = 1'000;
  std::size_t active = 500;  ///< of them keep `ahead` frames under way
  std::size_t ahead = 16;
  std::size_t frame_bytes = 200;
};
struct Echoed {
  double per_second = 0;
  double server_cpu_us = 0;  ///< for a frame
};
/// Both sides cut the stream into frames and write what one read brought with one call.
Echoed measure_echo(const EchoLoad& load, Seconds time, const std::string& log);

}  // namespace holdfast::bench
