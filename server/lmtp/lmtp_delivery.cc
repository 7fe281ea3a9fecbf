// From the last dot to a reply for each recipient.
#include "base/check.h"
#include "server/lmtp/answer_mail.h"
#include "server/lmtp/lmtp_session.h"

namespace holdfast::lmtp {
namespace {

const Reply kTextTooLong{554, "5.3.4", "this can't be posted: the text is too long for a message"};

/// What a post came to, as the sender's server is to understand it: 4xx, it tries again with the same Message-ID.
Reply reply_to_post(const Status& status) {
  if (status) return {250, "2.0.0", "posted"};
  switch (status.error().code) {
    case Errc::already_exists: return {250, "2.0.0", "posted before"};
    case Errc::not_found: return {550, "5.1.1", "there is nobody any more to post this for"};
    case Errc::permission_denied: return {550, "5.7.1", "the sender may not post there any more"};
    case Errc::too_large: return kTextTooLong;
    case Errc::invalid_argument:
    case Errc::unsupported: return {554, "5.6.0", "this can't be posted"};
    case Errc::storage_full: return {452, "4.3.1", "there is no room now; come back later"};
    case Errc::not_primary:
    case Errc::retry_later:
    case Errc::corrupt:
    case Errc::io:
    case Errc::in_use:
    case Errc::outcome_unknown: break;
  }
  return {451, "4.3.0", "this can't be posted now; come back later"};
}

}  // namespace

void Session::message_is_whole(SteadyTime now) {
  if (message_->too_large()) {
    return reply_to_all(
        {552, "5.3.4", "more than " + std::to_string(options_.message_bytes_max) + " bytes are not taken"}, now);
  }
  const std::string bytes = message_->message();
  message_.reset();
  const auto answer = read_answer(bytes, options_.automatic, options_.mime);
  if (const auto* refusal = std::get_if<Reply>(&answer)) return reply_to_all(*refusal, now);
  if (std::get<Answer>(answer).text.size() > options_.text_bytes_max) return reply_to_all(kTextTooLong, now);
  post_to_all(std::get<Answer>(answer), now);
}

void Session::post_to_all(const Answer& answer, SteadyTime now) {
  for (std::size_t i = 0; i < recipients_.size(); ++i) {
    asks_.push_back(AskPost{open_question(i, now), recipients_[i].target, answer.message_id, answer.text});
  }
}

void Session::reply_to_all(const Reply& reply, SteadyTime now) {
  for (Recipient& recipient : recipients_) recipient.reply = reply;
  finish_message(now);
}

void Session::posted(std::uint64_t question, const Status& status, SteadyTime now) {
  const auto at = open_.find(question);
  if (state_ != State::message || at == open_.end()) return;
  recipients_[at->second].reply = reply_to_post(status);
  open_.erase(at);
  if (!open_.empty()) return;
  finish_message(now);
  work(now);
}

/// RFC 2033, 4.2: one reply for each recipient that was accepted, in their order.
void Session::finish_message(SteadyTime now) {
  for (const Recipient& recipient : recipients_) {
    HF_CHECK(recipient.reply.code != 0, "every recipient has its reply");
    output_ += recipient.reply.line();
    ++(recipient.reply.code < 400 ? figures_.posted : recipient.reply.code < 500 ? figures_.later : figures_.refused);
  }
  reset();
  commands_ = 0;
  wait_for_command(now);
  if (draining_) drain();
}

}  // namespace holdfast::lmtp
