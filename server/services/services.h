/// The services of a node: its subscribers of the bus.
///
/// One line each; what a service is besides stands in the tables of rules.h, flows.h and due.h. Owned by the engine,
/// constant, outlives the partitions.
#pragma once

#include <memory>
#include <vector>

#include "server/bus/subscriber.h"
#include "server/chat/limits.h"

namespace holdfast::services {

class Services {
 public:
  explicit Services(const chat::Limits& limits);
  const std::vector<std::unique_ptr<bus::Subscriber>>& subscribers() const { return subscribers_; }

 private:
  std::vector<std::unique_ptr<bus::Subscriber>> subscribers_;
};

}  // namespace holdfast::services
