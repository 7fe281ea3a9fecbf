/// What the admin pages tell: values, and how they are written as JSON. docs/operations.md names the keys for people who
/// write programs against them; they stay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::http {

struct NodeFigures {
  std::uint32_t id = 0;
  std::string name, zone, version;
  std::string peer_address, client_address, admin_address;  ///< empty: not known
  std::string life;                                         ///< as this node sees it: alive, suspect, dead, unknown
  std::string health;                                       ///< ok, slow, full, draining, late; empty: not known
  bool live = false;                                        ///< registered, and not found dead
  bool draining = false;
  std::uint32_t sessions = 0;  ///< of the last beat
  std::uint32_t primaries = 0, in_sync = 0, copies = 0;
};

struct PartitionFigures {
  std::uint32_t id = 0;
  std::uint64_t epoch = 0;
  std::uint32_t primary = 0;  ///< node; 0: none
  std::vector<std::uint32_t> in_sync, replicas;
  std::vector<std::uint32_t> missing;  ///< of in_sync: does not run, or came back with another disk
  std::uint32_t min_isr = 0;
};

struct ClusterFigures {
  std::uint32_t self = 0;
  std::string cluster;  ///< its id
  std::uint32_t copies =
      0;  ///< of each partition, where there are so many nodes: as the asked node has it; 0: not known
  bool registered = false;
  struct Coordinator {
    std::uint32_t node = 0;
    std::uint64_t term = 0;
    std::int64_t since_ms = 0;
  };
  std::optional<Coordinator> coordinator;
  std::string safe_mode;  ///< empty: the coordinator may decide
  std::vector<std::string> problems;
  std::vector<NodeFigures> nodes;
  std::vector<PartitionFigures> partitions;
};

/// The asked node's copy of a partition.
struct CopyFigures {
  std::uint32_t partition = 0;
  std::string role;
  bool serving = false;
  std::uint64_t epoch = 0, promised = 0, last_seq = 0, committed = 0;
  std::string chain;  ///< of last_seq, hex
  struct Other {
    std::uint32_t node = 0;
    std::uint64_t matched = 0;  ///< up to here its log is known to be ours
    bool in_sync = false, connected = false;
  };
  std::vector<Other> others;  ///< at a primary
};
struct CopiesFigures {
  std::uint32_t self = 0;
  std::vector<CopyFigures> copies;
};

struct PartitionDetail {
  std::uint32_t self = 0;
  PartitionFigures configured;
  CopyFigures here;
  struct At {
    std::uint64_t seq = 0;
    std::string chain;  ///< hex; empty: this log does not have it
  };
  std::optional<At> at;
};

struct EventFigures {
  std::uint64_t number = 0;
  std::int64_t time_ms = 0;
  std::string kind;
  std::uint32_t node = 0, by = 0, partitions = 0;
  std::int64_t took_ms = 0;
  std::string text;
};
struct EventsFigures {
  std::uint32_t self = 0;
  std::uint64_t last = 0;  ///< to be given as `since` the next time
  std::vector<EventFigures> events;
};

/// Lines of one partition's audit journal. Chain values and the line as it is stored are in hex.
struct AuditFigures {
  struct Line {
    std::uint64_t number = 0;
    std::string chain, raw;
    std::int64_t time_ms = 0;
    std::string action, outcome, actor, target, source, why;
    std::vector<std::pair<std::string, std::string>> subjects;  ///< id and name
    std::vector<std::pair<std::string, std::string>> details;
  };
  std::uint32_t partition = 0, partitions = 0;
  std::uint64_t first = 0, next = 0;  ///< numbers of the oldest line kept, and of the one to come
  std::string chain, chain_before_first;
  std::vector<Line> lines;
  std::uint64_t next_after = 0;  ///< to go on after; 0: that was all
};

std::string to_json(const ClusterFigures& figures);
std::string to_json(const CopiesFigures& figures);
std::string to_json(const PartitionDetail& detail);
std::string to_json(const EventsFigures& events);
std::string to_json(const AuditFigures& figures);
std::string to_json(const Error& error);

}  // namespace holdfast::http
