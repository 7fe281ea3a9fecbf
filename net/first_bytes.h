/// What a new connection speaks, told from its first bytes. Pure.
///
///     first     = tls | websocket | native
///     tls       = %x16 %x03 ...            ; a TLS record with a handshake in it (RFC 8446, 5.1)
///     websocket = "GET " ...               ; an HTTP/1.1 request line (RFC 9112, 3; RFC 6455, 4.1)
///     native    = length ...               ; 4 bytes, big-endian, 1 to frame_bytes_max: see proto/frame.h
///
/// The three can't be confused: frame_bytes_max is below 2^24, so a native frame begins with a zero byte.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/frame.h"

namespace holdfast {

enum class FirstBytes {
  need_more,  ///< could still become one of the others; at most kFirstBytesMax bytes are ever needed
  native,
  websocket,
  tls,
  garbage,  ///< none of them, whatever follows: close without an answer
};

inline constexpr std::size_t kFirstBytesMax = 4;

/// Decides as early as the bytes allow. `frame_bytes_max` is below 2^24 (CHECKed).
FirstBytes detect(std::string_view first, std::uint32_t frame_bytes_max = kFrameBytesMax);

const char* name_of(FirstBytes kind);

}  // namespace holdfast
