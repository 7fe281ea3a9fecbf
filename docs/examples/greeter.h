/// An example of a service: in each group that the greeter is a member of, it says hello to who is added.
///
/// docs/services.md walks through it. Compiled and tested with the server (tests/server/services/greeter_test.cc), and not
/// part of it.
#pragma once

#include "base/ids.h"
#include "server/bus/subscriber.h"

namespace holdfast::examples {

/// Constant, so one object serves all partitions and threads. A greeting is posted once for each change that adds members,
/// also if the primary dies in the middle: its id follows from the event.
class Greeter final : public bus::Subscriber {
 public:
  /// `greeter`: an account, provisioned by `holdfastctl users provision`, in whose name it speaks.
  explicit Greeter(const UserId& greeter) : greeter_(greeter) {}

  /// Of its cursor: never to be changed.
  std::string_view name() const override { return "greeter"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;

 private:
  const UserId greeter_;
};

}  // namespace holdfast::examples
