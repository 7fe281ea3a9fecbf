/// What the film shows: a line for what happened, and on a terminal one below it that changes while things go on.
#pragma once

#include <string>

#include "base/time.h"

namespace holdfast::demo {

/// Value; one thread. Writes to standard output; plain where that is no terminal.
class Screen {
 public:
  Screen();

  /// A new scene.
  void title(const std::string& text);
  /// What happened, with the time since the film began.
  void say(const std::string& text);
  /// A figure of the result: its name, then the value.
  void figure(const std::string& name, const std::string& value, bool good = true);
  /// How it goes; replaced by the next. Without a terminal now and then only.
  void status(const std::string& text);

 private:
  void end_status();

  const bool terminal_;
  const SteadyTime began_;
  SteadyTime last_status_{};
  bool status_shown_ = false;
};

}  // namespace holdfast::demo
