/// What `&auml;` and `&#228;` stand for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// Appends the character that the reference at the beginning of `text` (which begins with '&') stands for, and returns how
/// long that reference is; 0 if it is none that is known, and nothing is appended. Without the semicolon it counts only
/// if it is a number.
std::size_t append_entity(std::string_view text, std::string& out);

}  // namespace holdfast::lmtp
