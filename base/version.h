/// What this build calls itself: in Hello's answer, --version and the status page. CMakeLists.txt says the same.
#pragma once

#include <string_view>

namespace holdfast {
inline constexpr std::string_view kVersion = "0.1.0";
}
