#include "storage/snapshot_parts.h"

#include <algorithm>

namespace holdfast::peers {
namespace {

std::optional<Hash32> hash(const std::string& bytes) {
  Hash32 hash{};
  if (bytes.size() != hash.size()) return std::nullopt;
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

}  // namespace

peer::SnapshotPart snapshot_part(std::uint64_t id, std::uint32_t number, const SnapshotHead& head,
                                 SnapshotPiece piece) {
  peer::SnapshotPart part;
  part.set_id(id);
  part.set_number(number);
  part.set_applied(head.applied.value);
  for (Row& row : piece.rows) {
    auto& out = *part.add_rows();
    out.set_key(std::move(row.key));
    out.set_value(std::move(row.value));
  }
  for (std::string& entry : piece.entries) part.add_entries(std::move(entry));
  part.set_last(piece.last);
  part.set_checksum(std::string(as_bytes(piece.checksum)));
  if (number > 0) return part;
  part.set_chain(std::string(as_bytes(head.chain)));
  part.set_first_entry(head.first_entry.value);
  part.set_chain_before(std::string(as_bytes(head.chain_before)));
  for (const auto& start : head.log.epoch_starts()) {
    auto& out = *part.add_epoch_starts();
    out.set_epoch(start.epoch());
    out.set_first_seq(start.first_seq());
  }
  return part;
}

std::optional<SnapshotHead> snapshot_head(const peer::SnapshotPart& part) {
  const auto chain = hash(part.chain()), before = hash(part.chain_before());
  if (!chain || !before || part.number() != 0) return std::nullopt;
  if (part.first_entry() == 0 || part.first_entry() > part.applied()) return std::nullopt;
  SnapshotHead head{.applied = Seq(part.applied()),
                    .chain = *chain,
                    .first_entry = Seq(part.first_entry()),
                    .chain_before = *before,
                    .log = {}};
  for (const auto& start : part.epoch_starts()) {
    auto& out = *head.log.add_epoch_starts();
    out.set_epoch(start.epoch());
    out.set_first_seq(start.first_seq());
  }
  return head;
}

std::optional<SnapshotPiece> snapshot_piece(peer::SnapshotPart part) {
  const auto checksum = hash(part.checksum());
  if (!checksum) return std::nullopt;
  SnapshotPiece piece{.rows = {}, .entries = {}, .last = part.last(), .checksum = *checksum};
  for (auto& row : *part.mutable_rows())
    piece.rows.push_back({std::move(*row.mutable_key()), std::move(*row.mutable_value())});
  for (std::string& entry : *part.mutable_entries()) piece.entries.push_back(std::move(entry));
  return piece;
}

}  // namespace holdfast::peers
