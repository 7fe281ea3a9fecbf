/// Why a connection did not become a session, or ended: from what the client library says. Pure.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::load {

enum class Refusal {
  refused,      ///< the server said no, or hung up before there was a session
  timed_out,    ///< the client waited no longer
  unreachable,  ///< nobody listens there
};

Refusal refusal_kind(std::string_view reason);
const char* name_of(Refusal kind);
/// Without addresses and numbers, so that the same reasons count as one.
std::string plain_reason(std::string_view reason);

}  // namespace holdfast::load
