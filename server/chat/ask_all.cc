#include "server/chat/ask_all.h"

namespace holdfast::chat {
namespace {

using Answers = std::vector<command::Answer>;

/// Held by the callbacks: if they are dropped, so is whoever waits.
struct Gathered {
  Answers answers;
  std::size_t open;
  std::function<void(Answers)> resume;
};

}  // namespace

Awaited<Answers> asking_all(Backend& backend, std::vector<Question> questions) {
  return Awaited<Answers>([&backend, questions = std::move(questions)](std::function<void(Answers)> resume) mutable {
    if (questions.empty()) return resume({});
    auto gathered =
        std::make_shared<Gathered>(Gathered{Answers(questions.size()), questions.size(), std::move(resume)});
    for (std::size_t i = 0; i < questions.size(); ++i) {
      const auto take = [gathered, i](command::Answer answer) {
        gathered->answers[i] = std::move(answer);
        if (--gathered->open == 0) gathered->resume(std::move(gathered->answers));
      };
      backend.ask(questions[i].partition, std::move(questions[i].command), take);
    }
  });
}

}  // namespace holdfast::chat
