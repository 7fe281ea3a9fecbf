#include "tools/holdfastctl/backup.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <thread>

#include "base/random.h"
#include "base/time.h"
#include "tools/holdfastctl/backup_cut.h"
#include "tools/holdfastctl/figures.h"
#include "tools/holdfastctl/options.h"
#include "tools/holdfastctl/restore.h"

namespace holdfast::ctl {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 5;
constexpr std::chrono::milliseconds kBetweenTries{500};

/// A folder that goes with its owner, unless it was kept under another name.
class Unfinished {
 public:
  static Result<std::unique_ptr<Unfinished>> make(const fs::path& path) {
    std::error_code error;
    if (!fs::create_directory(path, error))
      return Error{Errc::io, "can't make the folder " + path.string() + ": " +
                                 (error ? error.message() : std::string("it is there already"))};
    fs::permissions(path, fs::perms::owner_all, error);
    if (error) return Error{Errc::io, "can't close " + path.string() + " to others: " + error.message()};
    return std::make_unique<Unfinished>(path);
  }
  explicit Unfinished(fs::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const fs::path& path() const { return path_; }
  Status keep_as(const fs::path& name) {
    if (const Status synced = sync_directory(path_); !synced) return synced;
    std::error_code error;
    fs::rename(path_, name, error);
    if (error) return Error{Errc::io, "can't rename " + path_.string() + ": " + error.message()};
    path_.clear();
    return sync_directory(fs::absolute(name).parent_path());
  }

 private:
  fs::path path_;
};

/// Who runs; {0}: the node is alone.
Result<std::vector<std::uint32_t>> nodes_of(Admin& admin) {
  const auto body = admin.get("/admin/cluster");
  if (!body && body.error().code == Errc::not_found) return std::vector<std::uint32_t>{0};
  if (!body) return body.error();
  const auto cluster = parse_cluster(*body);
  if (!cluster) return cluster.error();
  std::vector<std::uint32_t> nodes;
  for (const auto& node : cluster->nodes)
    if (node.live) nodes.push_back(node.id);
  return nodes;
}

struct Fetched {
  BackupManifest manifest;
  std::chrono::milliseconds stood_still{0};
};

Status take(BackupCut& cut, std::uint32_t partitions, std::chrono::milliseconds& took) {
  for (int tries = 1;; ++tries) {
    const auto began = std::chrono::steady_clock::now();
    const Status taken = cut.take(partitions);
    took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began);
    if (taken || taken.error().code != Errc::retry_later || tries == kTries) return taken;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Result<Fetched> fetch_all(Admin& admin, const fs::path& folder) {
  auto nodes = nodes_of(admin);
  if (!nodes) return nodes.error();
  SystemRandom random;
  BackupCut cut(admin, std::move(*nodes), random.next());
  const auto settings = cut.settings();
  if (!settings) return settings.error();
  Fetched fetched;
  if (const Status taken = take(cut, settings->partitions(), fetched.stood_still); !taken) return taken.error();
  BackupManifest& manifest = fetched.manifest;
  manifest.cluster = settings->cluster();
  manifest.version = settings->version();
  manifest.generation = settings->generation();
  manifest.restores = settings->restores();
  manifest.time_ms = to_ms(wall_now());
  auto file = BackupWriter::create(folder / kSettingsFile);
  if (!file) return file.error();
  if (const Status written = file->write(settings->SerializeAsString()); !written) return written.error();
  auto finished = file->finish();
  if (!finished) return finished.error();
  manifest.settings = std::move(*finished);
  for (std::uint32_t p = 0; p < settings->partitions(); ++p) {
    auto part = cut.fetch(p, folder);
    if (!part) return part.error();
    manifest.parts.push_back(std::move(*part));
  }
  if (const Status written = write_manifest(folder, manifest); !written) return written.error();
  return fetched;
}

int back_up(Admin& admin, const fs::path& folder) {
  if (fs::exists(folder))
    return failed({Errc::invalid_argument, folder.string() + " is there already: name a new one"});
  auto unfinished = Unfinished::make(folder.string() + ".unfinished");
  if (!unfinished) return failed(unfinished.error());
  const auto fetched = fetch_all(admin, (*unfinished)->path());
  if (!fetched) return failed(fetched.error());
  const auto verified = verify_backup((*unfinished)->path());
  if (!verified) return failed(verified.error());
  if (const Status kept = (*unfinished)->keep_as(folder); !kept) return failed(kept.error());
  std::cout << "Backup in " << folder.string() << ": " << verified->parts.size() << " partitions, " << verified->bytes()
            << " bytes, generation " << verified->generation << ". Verified.\nWrites stood still for "
            << fetched->stood_still.count()
            << " ms.\nIt holds the keys of the cluster: keep it where nobody else reads.\n";
  return kExitOk;
}

int verify(const fs::path& folder) {
  const auto verified = verify_backup(folder);
  if (!verified) return failed(verified.error());
  std::cout << folder.string() << " is whole: " << verified->parts.size() << " partitions, " << verified->bytes()
            << " bytes, cluster " << verified->cluster << ", generation " << verified->generation << ".\n";
  return kExitOk;
}

int restore(const fs::path& folder, const fs::path& data) {
  SystemRandom random;
  const auto restored = restore_backup(folder, data, wall_now(), random);
  if (!restored) return failed(restored.error());
  std::cout << "Restored into " << data.string() << ": " << restored->partitions << " partitions, cluster "
            << restored->cluster << ", generation " << restored->generation.number
            << ".\nStart it as a node that is alone: holdfastd --data " << data.string()
            << ", with `partitions = " << restored->partitions
            << "`;\nor as the first node of a cluster, with --join and an empty prefix of etcd. "
            << "Clients whose positions are\nof an earlier generation are told to read again.\n";
  return kExitOk;
}

}  // namespace

void add_backup(CLI::App& app, BackupCommand& command) {
  command.backup = app.add_subcommand("backup", "one cut over all partitions, into a new folder")->fallthrough();
  command.backup->add_option("DIRECTORY", command.folder, "the folder to be made")->required();
  command.backup->add_flag("--verify", command.verify, "check a backup that is there; needs no server");
  command.restore =
      app.add_subcommand("restore", "a new data directory out of a backup; needs no server")->fallthrough();
  command.restore->add_option("BACKUP", command.folder, "the backup's folder")->required();
  command.restore->add_option("--data", command.data, "the data directory to be made")->required();
}

std::optional<int> run_backup(const BackupCommand& command, const Asked& asked) {
  if (command.restore->parsed()) return restore(command.folder, command.data);
  if (!command.backup->parsed()) return std::nullopt;
  if (command.verify) return verify(command.folder);
  auto admin = make_admin(asked);
  if (!admin) return failed(admin.error());
  return back_up(*admin, command.folder);
}

}  // namespace holdfast::ctl
