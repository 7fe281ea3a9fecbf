// links: server_lmtp
// A client that says anything, cut anywhere, and answers that come or don't: every reply is whole, questions are asked
// one recipient at a time, and behind a message there is one reply for each recipient. How the bytes were cut changes
// nothing.
//
// The first byte says how the rest is cut, the second what is answered: bit 0, is the recipient known; bit 1, is the post
// made; bit 2, does the time run out instead.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "server/lmtp/ascii.h"
#include "server/lmtp/lmtp_session.h"

namespace holdfast::lmtp {
namespace {

SessionOptions small() {
  SessionOptions options;
  options.message_bytes_max = 1'000;
  options.discarded_bytes_max = 2'000;
  options.line_bytes_max = 200;
  options.recipients_max = 3;
  options.errors_max = 10;
  options.commands_max = 50;
  return options;
}

void check_replies(std::string_view output) {
  HF_CHECK(output.empty() || output.ends_with("\r\n"), "replies are whole lines");
  while (const auto line = take_line(output)) {
    HF_CHECK(line->size() > 4 && is_digit((*line)[0]) && is_digit((*line)[1]) && is_digit((*line)[2]), "with a code");
    HF_CHECK((*line)[3] == ' ' || (*line)[3] == '-', "and a text");
    HF_CHECK(std::all_of(line->begin(), line->end(), [](char c) { return c >= ' ' && c < 127; }), "in ASCII");
  }
}

class Play {
 public:
  explicit Play(std::uint8_t answers) : answers_(answers), session_(small(), now_) {}

  void receive(std::string_view bytes) {
    session_.receive(bytes, now_);
    answer();
  }
  std::string heard() {
    hear();
    check_replies(heard_);
    return heard_;
  }

 private:
  void hear() { heard_ += session_.take_output(); }

  void answer() {
    for (auto asks = session_.take_asks(); !asks.empty(); asks = session_.take_asks()) {
      HF_CHECK(!session_.wants_input(), "while a question is open no command is looked at");
      const bool finding = std::holds_alternative<AskTarget>(asks[0]);
      HF_CHECK(asks.size() <= (finding ? 1 : small().recipients_max), "as many questions as there may be");
      hear();
      if ((answers_ & 4) != 0) {
        now_ = session_.deadline();
        session_.tick(now_);
      } else {
        for (const Ask& ask : asks) answer(ask);
      }
      const auto before = heard_.size();
      hear();
      HF_CHECK(heard_.size() > before, "answered questions give replies");
    }
    hear();
  }
  void answer(const Ask& ask) {
    const Error later{Errc::retry_later, ""};
    if (const auto* find = std::get_if<AskTarget>(&ask)) {
      const bool known = (answers_ & 1) != 0;
      session_.found(find->question, known ? Result<ReplyTarget>(ReplyTarget{"u", "c"}) : Result<ReplyTarget>(later),
                     now_);
    } else {
      const auto& post = std::get<AskPost>(ask);
      HF_CHECK(!post.text.empty() && !post.message_id.empty(), "there is something to post");
      session_.posted(post.question, (answers_ & 2) != 0 ? Status(Ok{}) : Status(later), now_);
    }
  }

  const std::uint8_t answers_;
  SteadyTime now_{};
  Session session_;
  std::string heard_;
};

std::string heard(std::string_view bytes, std::uint8_t answers, std::size_t piece) {
  Play play(answers);
  for (std::size_t at = 0; at < bytes.size(); at += piece) play.receive(bytes.substr(at, piece));
  return play.heard();
}

}  // namespace
}  // namespace holdfast::lmtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto whole = holdfast::lmtp::heard(bytes, data[1], std::max<std::size_t>(bytes.size(), 1));
  const auto cut = holdfast::lmtp::heard(bytes, data[1], std::size_t{1} + data[0]);
  HF_CHECK(whole == cut, "how the bytes were cut changes nothing");
  return 0;
}
