/// Expected failures: Result<T> is a value or an Error that the caller can act on.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace holdfast {

enum class Errc {
  invalid_argument,  ///< the caller's fault; the message names what
  not_found,
  already_exists,
  too_large,
  permission_denied,
  not_primary,  ///< ask elsewhere
  retry_later,  ///< a bound was hit or a start is under way
  storage_full,
  corrupt,  ///< stored bytes are not what was written
  io,       ///< the system said no; the message says what
  in_use,   ///< somebody else holds it
  unsupported,
  outcome_unknown,  ///< it may have been done, or may still be
};

const char* name_of(Errc code);

struct Error {
  Errc code;
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: meant to be implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  explicit operator bool() const { return state_.index() == 0; }

  T& value() & {
    HF_CHECK(*this, "value() of a failed Result");
    return std::get<0>(state_);
  }
  const T& value() const& {
    HF_CHECK(*this, "value() of a failed Result");
    return std::get<0>(state_);
  }
  T&& value() && {
    HF_CHECK(*this, "value() of a failed Result");
    return std::move(std::get<0>(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const {
    HF_CHECK(!*this, "error() of a good Result");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value.
struct Ok {};
using Status = Result<Ok>;

}  // namespace holdfast
