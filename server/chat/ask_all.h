/// Several partitions asked at once, for tasks.
#pragma once

#include <vector>

#include "server/chat/backend.h"

namespace holdfast::chat {

struct Question {
  PartitionId partition;
  command::Command command;
};

/// The answers, in the order of the questions, once all are there. No question: no answer, at once.
Awaited<std::vector<command::Answer>> asking_all(Backend& backend, std::vector<Question> questions);

}  // namespace holdfast::chat
