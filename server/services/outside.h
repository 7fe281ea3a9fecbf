/// Who carries intents out: the seam between what is decided and the world.
///
/// Owned by whoever puts the node together; outlives the workers. Thread: begin() is called on a worker's; `then` is called
/// once, from any thread, however long it takes. One that is dropped uncalled means that the node is going down.
#pragma once

#include <functional>

#include "server/chat/backend.h"
#include "server/chat/view.h"

namespace holdfast::services {

/// False: the partition has gone to another primary, who begins the intent again. From any thread.
using IsOurs = std::function<bool()>;

class Outside {
 public:
  virtual ~Outside() = default;
  /// Repeatable: the same intent may have been begun before, here or on a node that died. What waits for its turn asks
  /// `is_ours` then, so that a partition that moves takes its intents along.
  virtual void begin(chat::Backend& backend, chat::BeginIntent intent, IsOurs is_ours,
                     std::function<void(command::IntentDone)> then) = 0;
};

}  // namespace holdfast::services
