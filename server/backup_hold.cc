#include "server/backup_hold.h"

#include <algorithm>

namespace holdfast {
namespace {

std::string name_of(PartitionId partition) { return "partition " + std::to_string(partition.value); }

}  // namespace

void BackupHold::hold(std::uint64_t backup, SteadyTime until, Taken taken) {
  if (current_) fail("another backup began");
  failure_.clear();
  current_ = Current{backup, next_number_++, {}, std::move(taken), {}};
  for (const PartitionId partition : host_.serving()) {
    Copy& copy = host_.copy(partition);
    copy.serving()->hold(until);
    current_->held.emplace(partition, Held{copy.replica().epoch(), false, nullptr, 0});
  }
  look();
}

/// It is led here in the epoch in which it was held, and still held.
bool BackupHold::stands(PartitionId partition, const Held& held) {
  Copy& copy = host_.copy(partition);
  return copy.serving() != nullptr && copy.serving()->is_held() && copy.replica().epoch() == held.epoch;
}

void BackupHold::look() {
  if (!current_) return;
  for (const auto& [partition, held] : current_->held)
    if (!stands(partition, held))
      return fail(name_of(partition) +
                  " did not stand still for long enough: the time was up, or another node leads it");
  for (auto& [partition, held] : current_->held) {
    Copy& copy = host_.copy(partition);
    if (!held.opening && copy.serving()->is_at_rest() && copy.is_drained()) {
      held.opening = true;
      open(partition);
    }
  }
  if (current_->taken) hand_out();
  if (current_ && current_->released) finish_release();
}

void BackupHold::open(PartitionId partition) {
  host_.blocking([this, partition, number = current_->number, subscribers = host_.copy(partition).subscribers()] {
    auto source = SnapshotSource::open(*host_.state, *host_.log, partition, subscribers);
    host_.call([this, partition, number, source = std::move(source)] { opened(number, partition, source); });
  });
}

void BackupHold::opened(std::uint64_t number, PartitionId partition, Result<std::shared_ptr<SnapshotSource>> source) {
  if (!current_ || current_->number != number) return;
  if (!source) return fail(name_of(partition) + " can't be read: " + source.error().message);
  if ((*source)->head().applied != host_.copy(partition).replica().committed())
    return fail(name_of(partition) + " did not stand still");
  current_->held.at(partition).source = std::move(*source);
  look();
}

void BackupHold::hand_out() {
  std::vector<Part> parts;
  for (const auto& [partition, held] : current_->held) {
    if (!held.source) return;
    parts.push_back({partition, held.epoch, held.source});
  }
  std::exchange(current_->taken, nullptr)(std::move(parts));
}

void BackupHold::release(std::uint64_t backup, Released released) {
  if (!current_ || current_->backup != backup)
    return released(Error{Errc::retry_later, failure_.empty() ? "this backup does not hold anything here" : failure_});
  current_->released = std::move(released);
  for (auto& [partition, held] : current_->held) {
    held.barrier = host_.copy(partition).replica().want_barrier();
    host_.wake(partition);
  }
  look();
}

void BackupHold::finish_release() {
  for (const auto& [partition, held] : current_->held)
    if (host_.copy(partition).replica().barriers_passed() < held.barrier) return;
  const Released released = std::move(current_->released);
  let_go();
  released(Ok{});
}

void BackupHold::drop(std::uint64_t backup) {
  if (current_ && current_->backup == backup) fail("the backup was given up");
}

void BackupHold::fail(const std::string& why) {
  failure_ = why;
  const Taken taken = std::move(current_->taken);
  const Released released = std::move(current_->released);
  let_go();
  if (taken) taken(Error{Errc::retry_later, why});
  if (released) released(Error{Errc::retry_later, why});
}

void BackupHold::let_go() {
  for (const auto& [partition, held] : current_->held) {
    if (Partition* here = host_.copy(partition).serving()) here->let_go();
    host_.wake(partition);
  }
  current_.reset();
}

}  // namespace holdfast
