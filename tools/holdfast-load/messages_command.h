/// `holdfast-load messages` on the command line.
#pragma once

#include <memory>

#include "base/result.h"
#include "tools/holdfast-load/options.h"

namespace CLI {
class App;
}

namespace holdfast::load {

/// Adds the command; asked() and options() count once the app has parsed. The app outlives it.
class MessagesCommand {
 public:
  explicit MessagesCommand(CLI::App& app);
  ~MessagesCommand();

  bool asked() const;
  /// Fails with invalid_argument.
  Result<Options> options() const;

 private:
  struct Flags;
  std::unique_ptr<Flags> flags_;
  CLI::App* command_ = nullptr;
};

}  // namespace holdfast::load
