/// A mail as a tree of parts (RFC 2045, RFC 2046), strictly bounded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/lmtp/content_type.h"
#include "server/lmtp/header_fields.h"

namespace holdfast::lmtp {

struct MimeBounds {
  HeaderBounds header;          ///< of the mail and of each part
  std::size_t depth_max = 12;   ///< of multiparts in one another
  std::size_t parts_max = 200;  ///< of the whole mail, multiparts included
};

/// A part; its body lies in the message, which must outlive it. A mail within a mail (message/rfc822) is one part: it is
/// none of what the sender wrote.
struct Part {
  HeaderFields header;
  ParameterizedValue type;
  std::string_view body;       ///< still in its transfer encoding
  std::vector<Part> children;  ///< of a multipart

  bool is_multipart() const { return type.value.starts_with("multipart/"); }
  bool is_attachment() const;  ///< by its disposition (RFC 2183)
};

/// Takes time linear in the message's length, times depth_max at most. Fails with too_large (a bound was hit; the
/// message says which) or invalid_argument (a multipart without a boundary).
Result<Part> parse_mime(std::string_view message, const MimeBounds& bounds);

}  // namespace holdfast::lmtp
