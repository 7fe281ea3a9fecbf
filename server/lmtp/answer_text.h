/// What somebody wrote in answer to a mail: its text without what mail programs put around it.
///
/// Taken away are
///   - quoted lines (">"), and the line before them that says whose they are ("On … wrote:", "Am … schrieb …:");
///   - everything from where a mail program begins to repeat the mail without such marks: such a line without a quote behind
///     it, "-----Original Message-----", Outlook's "From: … Sent: … To: … Subject: …", our own marker line;
///   - signatures: from "-- " on, and at the end "Sent from my …".
/// Answers below or between the quoted lines stay. In doubt text stays: too much is annoying, too little is a loss.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// Stands on a line of its own above what our mails repeat from chat, in whatever language they are.
inline constexpr std::string_view kReplyMarker = "--- reply above this line ---";

/// `text` is UTF-8 with LF. Empty if nothing is left. Without blank lines at its ends. Takes linear time.
std::string answer_of(std::string_view text);

}  // namespace holdfast::lmtp
