#include "storage/durable_floor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "storage/big_endian.h"

namespace holdfast {
namespace {

constexpr std::string_view kMagic = "HFfloor1";
constexpr std::size_t kHeadBytes = 8 + 8 + 4;
constexpr std::size_t kRowBytes = 2 + 8;
constexpr std::size_t kHashBytes = 32;

struct Slot {
  std::uint64_t turn = 0;
  DurableFloor::Seqs seqs;
};

std::string encode(const Slot& slot) {
  std::string bytes(kMagic);
  append_u64(bytes, slot.turn);
  const auto count = static_cast<std::uint32_t>(slot.seqs.size());
  append_u16(bytes, static_cast<std::uint16_t>(count >> 16));
  append_u16(bytes, static_cast<std::uint16_t>(count));
  for (const auto& [partition, seq] : slot.seqs) {
    append_u16(bytes, partition.value);
    append_u64(bytes, seq.value);
  }
  bytes.append(as_bytes(blake2b_256({bytes})));
  HF_CHECK(bytes.size() <= DurableFloor::kSlotBytes, "all partitions fit into a slot");
  bytes.resize(DurableFloor::kSlotBytes);
  return bytes;
}

std::optional<Slot> decode(std::string_view bytes) {
  if (bytes.size() < kHeadBytes + kHashBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  const std::uint64_t count = read_number(bytes.substr(16, 4));
  if (count > (bytes.size() - kHeadBytes - kHashBytes) / kRowBytes) return std::nullopt;
  const std::size_t content = kHeadBytes + count * kRowBytes;
  if (as_bytes(blake2b_256({bytes.substr(0, content)})) != bytes.substr(content, kHashBytes)) return std::nullopt;
  Slot slot{.turn = read_number(bytes.substr(8, 8)), .seqs = {}};
  for (std::size_t at = kHeadBytes; at < content; at += kRowBytes) {
    const auto partition = static_cast<std::uint16_t>(read_number(bytes.substr(at, 2)));
    slot.seqs[PartitionId(partition)] = Seq(read_number(bytes.substr(at + 2, 8)));
  }
  return slot;
}

}  // namespace

Result<std::unique_ptr<DurableFloor>> DurableFloor::open(const std::filesystem::path& path, Options options) {
  if (!std::filesystem::exists(path)) {
    const std::string empty = encode(Slot{});
    if (auto made = replace_file(path, empty + empty); !made) return made.error();
  }
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) return system_error("can't open", path);
  std::unique_ptr<DurableFloor> floor(new DurableFloor(path, std::move(file), options));
  if (auto loaded = floor->load(); !loaded) return loaded.error();
  if (options.own_thread) floor->thread_ = std::thread([self = floor.get()] { self->run(); });
  return floor;
}

Status DurableFloor::load() {
  const auto content = read_small_file(path_);
  if (!content) return content.error();
  const std::string_view bytes = *content ? std::string_view(**content) : std::string_view();
  const auto first = decode(bytes.substr(0, std::min(bytes.size(), kSlotBytes)));
  const auto second = bytes.size() > kSlotBytes ? decode(bytes.substr(kSlotBytes)) : std::nullopt;
  if (!first && !second)
    return Error{Errc::corrupt, path_.string() + " is damaged: it can't be told whether the log is whole"};
  const Slot& newer = !second || (first && first->turn >= second->turn) ? *first : *second;
  turn_ = newer.turn;
  at_start_ = seqs_ = newer.seqs;
  return Ok{};
}

DurableFloor::~DurableFloor() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  (void)write_if_changed();  // the floor may be behind
}

Status DurableFloor::check(const LogStore& log) const {
  for (const auto& [partition, floor] : at_start_) {
    const auto bounds = log.bounds(partition);
    if (!bounds) return bounds.error();
    if (bounds->second < floor)
      return Error{Errc::corrupt, "the log of partition " + std::to_string(partition.value) + " ends at entry " +
                                      std::to_string(bounds->second.value) + ", but entry " +
                                      std::to_string(floor.value) + " was acknowledged (" + path_.string() + ")"};
  }
  return Ok{};
}

Status DurableFloor::lower(PartitionId partition, Seq seq) {
  {
    const std::scoped_lock lock(mutex_);
    Seq& known = seqs_[partition];
    if (known <= seq) return Ok{};
    known = seq;
    changed_ = true;
  }
  return write_if_changed();
}

void DurableFloor::note(PartitionId partition, Seq seq) {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    Seq& known = seqs_[partition];
    if (seq <= known) return;
    known = seq;
    wake = !changed_;
    changed_ = true;
  }
  if (wake) wake_.notify_one();
}

Status DurableFloor::write_if_changed() {
  const std::scoped_lock one_writer(write_mutex_);
  Slot slot{.turn = turn_ + 1, .seqs = {}};
  {
    const std::scoped_lock lock(mutex_);
    if (!changed_) return Ok{};
    slot.seqs = seqs_;
    changed_ = false;
  }
  const std::string bytes = encode(slot);
  const auto place = static_cast<off_t>(slot.turn % 2 * kSlotBytes);
  const ssize_t done = ::pwrite(file_.get(), bytes.data(), bytes.size(), place);
  if (done != static_cast<ssize_t>(bytes.size())) return system_error("can't write", path_);
  if (::fdatasync(file_.get()) != 0) return system_error("can't sync", path_);
  turn_ = slot.turn;
  return Ok{};
}

void DurableFloor::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || changed_; });
      if (stopping_) return;
    }
    // The other slot is whole whatever happens here, and a floor that is behind refuses nothing wrongly.
    (void)write_if_changed();
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, options_.interval, [this] { return stopping_; })) return;
  }
}

}  // namespace holdfast
