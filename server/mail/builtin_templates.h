/// The files under templates/, compiled in. The .cc is made by cmake/EmbedTemplates.cmake.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::mail {

struct BuiltinTemplate {
  std::string_view path;  ///< "en/password_reset.html"
  std::string_view text;
};

/// Sorted by path.
std::span<const BuiltinTemplate> builtin_templates();

}  // namespace holdfast::mail
