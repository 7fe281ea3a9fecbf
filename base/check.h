/// HF_CHECK: a bug of ours, caught. On in every build; prints where and what, then aborts.
#pragma once

namespace holdfast {
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* why);
}

#define HF_CHECK(condition, why)                                       \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::holdfast::check_failed(#condition, __FILE__, __LINE__, (why)); \
  } while (false)
