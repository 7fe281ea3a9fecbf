/// The parts of the checker; use checker.h.
#pragma once

#include <map>
#include <optional>

#include "tools/holdfast-chaos/checker.h"

namespace holdfast::chaos {

/// Collects violations, and puts names to indices.
class Findings {
 public:
  explicit Findings(const History& history) : history_(history) {}
  void say(Kind kind, std::string text) { found_.push_back({kind, std::move(text)}); }
  std::vector<Violation> take() { return std::move(found_); }

  std::string conversation(std::uint32_t index) const;  ///< "conversation 3 (1f2e3d4c)"
  std::string message(std::uint64_t operation) const;   ///< "message 17 of ada/0"
  const std::string& device(std::uint32_t index) const { return history_.devices[index].name; }

 private:
  const History& history_;
  std::vector<Violation> found_;
};

/// The end state as the fresh readers saw it, by conversation: by number, and by message.
class Stored {
 public:
  explicit Stored(const History& history);
  bool known(std::uint32_t conversation) const { return conversations_[conversation].known; }
  const Sight* at(std::uint32_t conversation, std::uint64_t number) const;
  /// Under which number the message stands; nothing: nowhere.
  std::optional<std::uint64_t> number_of(std::uint64_t operation) const;

 private:
  struct Kept {
    bool known = false;
    std::map<std::uint64_t, const Sight*> by_number;
  };
  std::vector<Kept> conversations_;
  std::map<std::uint64_t, std::uint64_t> numbers_;  ///< operation -> its first number
};

void check_stored(const History& history, const Stored& stored, Findings& found);
void check_answers(const History& history, const Stored& stored, Findings& found);
void check_devices(const History& history, const Stored& stored, Findings& found);
void check_visits(const History& history, Findings& found);
void check_mails(const History& history, const CheckLimits& limits, Findings& found);
void check_replicas(const History& history, Findings& found);
void check_recovery(const History& history, const CheckLimits& limits, Findings& found);

}  // namespace holdfast::chaos
