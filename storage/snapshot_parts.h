/// Parts of a snapshot as the peers' messages have them, and as the storage does. Pure.
#pragma once

#include <optional>

#include "proto/peer.pb.h"
#include "storage/snapshot_source.h"

namespace holdfast::peers {

/// Part `number`; the first one has the head.
peer::SnapshotPart snapshot_part(std::uint64_t id, std::uint32_t number, const SnapshotHead& head, SnapshotPiece piece);

/// Of the first part. Nothing: no node sends this.
std::optional<SnapshotHead> snapshot_head(const peer::SnapshotPart& part);
/// Nothing: no node sends this.
std::optional<SnapshotPiece> snapshot_piece(peer::SnapshotPart part);

}  // namespace holdfast::peers
