/// A bare OpenSSL server: a handshake, one request of 64 bytes, one answer; nothing else. The baseline of arrivals by TLS.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::bench {

/// A child process's whole life. TLS 1.3, tickets as Holdfast gives them, epoll, one thread.
int serve_handshakes(std::uint16_t port, const std::string& certificate, const std::string& key);

}  // namespace holdfast::bench
