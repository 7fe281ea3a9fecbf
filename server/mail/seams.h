/// The steps of a mail's sending at which tests kill the node (base/seam.h), in their order.
#pragma once

#include <string_view>

namespace holdfast::mail::seams {

/// The timer of a message that nobody has acknowledged is committed; the bus's cursor behind the event is not.
inline constexpr std::string_view kArmed = "mail_armed";
inline constexpr std::string_view kDecided = "mail_decided";    ///< its intent is committed, and the cursor with it
inline constexpr std::string_view kBegun = "mail_begun";        ///< … and that it is being sent
inline constexpr std::string_view kMade = "mail_made";          ///< its text stands, nobody has it
inline constexpr std::string_view kOffered = "mail_offered";    ///< libcurl is about to get it
inline constexpr std::string_view kData = "mail_data";          ///< the relay has said 354 and waits for the text
inline constexpr std::string_view kAccepted = "mail_accepted";  ///< the relay's 250 has come in, and was not read
inline constexpr std::string_view kTaken = "mail_taken";        ///< … was read, and nobody was told
inline constexpr std::string_view kHeard = "mail_heard";  ///< the partition's worker was told, and nothing is decided
inline constexpr std::string_view kEnded = "mail_ended";  ///< that it was sent is committed

}  // namespace holdfast::mail::seams
