/// text/plain; format=flowed (RFC 3676): lines that were only broken to travel become paragraphs again.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// `text` with lines that end with LF. Quoted lines keep their ">"; the signature's "-- " stays as it is. `delete_space`:
/// the parameter DelSp is yes, the blank before a soft break is not text.
std::string unflow(std::string_view text, bool delete_space);

}  // namespace holdfast::lmtp
