/// The operators' side of a cluster over HTTP: what stands where, and what may be asked to change.
///
///     GET  /admin/cluster                    nodes, who coordinates, partitions
///     GET  /admin/copies                     this node's copies of all partitions
///     GET  /admin/partitions/N[?at=SEQ]      one partition; with `at` the chain value of that entry in this node's log
///     GET  /admin/events[?since=NUMBER]      what this node saw happen
///     GET  /admin/audit?partition=N or user=NAME[&after=NUMBER][&since=MS][&limit=N]
///                                        lines of the audit journal, in their order, with their chain values
///     GET  /admin/export?user=NAME[&from=TOKEN]    all that is stored about a user, a page at a time; begins without TOKEN
///     POST /admin/incident-start, incident-update, incident-stop     the body is the text for users; 202: users are being told
///     POST /admin/backup-settings, backup-hold?backup=ID&node=N, backup-release?…, backup-end?…,
///          backup-piece?backup=ID&node=N&partition=P
///                                        what holdfastctl makes a backup of (server/backups.h); node 0: who is asked
///     POST /admin/drain?node=N, undrain?node=N, remove?node=N, move?partition=P&node=N, rebalance,
///          unsafe-recover?partition=P&node=N&epoch=E&at=SEQ
///
/// Answers are JSON, errors too: {"error": CODE, "message": what is wrong and what to do}. A POST, /admin/audit and /admin/export want the operators' key
/// (Authorization: Bearer KEY), and answers 202 when what was asked for is under way; /admin/events says when it was done.
/// What is asked for a backup is answered 200, with bytes (proto/backup.proto).
#pragma once

#include <functional>
#include <optional>

#include "net/http.h"
#include "server/http/admin_figures.h"

namespace holdfast::http {

/// Who asks, for the audit journal.
struct Asker {
  std::string address;
  std::string name;  ///< by their own account: the header X-Holdfast-Operator
};

struct AdminAction {
  enum class Kind : std::uint8_t { drain, undrain, move, rebalance, remove, unsafe_recover } kind = Kind::drain;
  std::uint32_t node = 0;
  std::uint32_t partition = 0;
  std::uint64_t epoch = 0, at = 0;  ///< unsafe_recover: the highest known, and the last entry of the copy
  Asker asker{};
};

struct BackupRequest {
  enum class Kind : std::uint8_t { settings, hold, release, piece, end } kind = Kind::settings;
  std::uint64_t backup = 0;
  std::uint32_t node = 0;
  std::uint32_t partition = 0;
  Asker asker{};
};

struct AuditRequest {
  std::optional<std::uint32_t> partition;  ///< or
  std::string user;                        ///< by name
  std::uint64_t after = 0;                 ///< lines behind this one
  std::int64_t since_ms = 0;               ///< none before
  std::uint32_t limit = 200;
};

struct IncidentRequest {
  enum class Kind : std::uint8_t { start, update, stop } kind = Kind::start;
  std::string text;
  Asker asker{};
};

struct ExportRequest {
  std::string user;
  std::string from;  ///< the answer's "next"
  Asker asker{};
};

template <class T>
using Then = std::function<void(T)>;

/// Where answers come from. Each calls back once, on any thread; none blocks.
struct AdminParts {
  std::function<bool(std::string_view key)> is_operator;  ///< compares in constant time
  std::function<void(Then<Result<ClusterFigures>>)> cluster;
  std::function<void(Then<CopiesFigures>)> copies;
  std::function<void(std::uint32_t partition, std::optional<std::uint64_t> at, Then<Result<PartitionDetail>>)>
      partition;
  std::function<void(std::uint64_t since, Then<Result<EventsFigures>>)> events;
  std::function<void(AuditRequest, Then<Result<AuditFigures>>)> audit;
  std::function<void(ExportRequest, Then<Result<std::string>>)> exported;  ///< JSON
  std::function<void(IncidentRequest, Then<Status>)> incident;
  std::function<void(AdminAction, Then<Status>)> act;
  std::function<void(BackupRequest, Then<Result<std::string>>)> backup;
};

/// Serves /admin/…, and gives everything else to `others`.
HttpAsyncHandler admin_pages(AdminParts parts, HttpHandler others);

}  // namespace holdfast::http
