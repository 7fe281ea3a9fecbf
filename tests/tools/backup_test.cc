/// Backups as they lie in a folder: whole, damaged, restored.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "base/hash.h"
#include "failover/cluster_keys.h"
#include "storage/data_directory.h"
#include "storage/keys.h"
#include "storage/rocksdb_database.h"
#include "storage/snapshot_parts.h"
#include "storage/state_store.h"
#include "tests/storage/temp_directory.h"
#include "tools/holdfastctl/backup_files.h"
#include "tools/holdfastctl/restore.h"

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kEntries = 5;

std::string number_row(std::uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

/// One partition of five entries, as a node would send it: rows first, then the log.
BackupManifest::Part write_part(const fs::path& folder, std::uint32_t partition) {
  SnapshotHead head{.applied = Seq(kEntries), .chain = {}, .first_entry = Seq(1), .chain_before = {}, .log = {}};
  auto& start = *head.log.add_epoch_starts();
  start.set_epoch(3);
  start.set_first_seq(1);
  SnapshotPiece rows, log;
  rows.rows = {{keys::applied(), number_row(kEntries)}, {keys::name("ada"), "row of " + std::to_string(partition)}};
  Hash32 chain{};
  for (std::uint64_t seq = 1; seq <= kEntries; ++seq) {
    log::Entry entry;
    entry.set_epoch(3);
    entry.set_seq(seq);
    log.entries.push_back(entry.SerializeAsString());
    chain = encode_entry(PartitionId(0), Seq(seq), log.entries.back(), chain).chain;
  }
  head.chain = chain;
  log.last = true;
  rows.checksum = snapshot_checksum({}, rows);
  log.checksum = snapshot_checksum(rows.checksum, log);
  auto file = BackupWriter::create(folder / part_file_name(partition));
  REQUIRE(file);
  std::string bytes;
  append_frame(bytes, peers::snapshot_part(1, 0, head, rows));
  append_frame(bytes, peers::snapshot_part(1, 1, head, log));
  REQUIRE(file->write(bytes));
  return {partition, 3, kEntries, to_hex(as_bytes(chain)), file->finish().value()};
}

BackupManifest write_backup(const fs::path& folder) {
  fs::create_directories(folder);
  backup::Settings settings;
  settings.set_cluster("c1");
  settings.set_partitions(2);
  settings.set_generation(1);
  settings.set_token_keys("the token keys");
  settings.set_operator_key("the operators' key\n");
  auto file = BackupWriter::create(folder / kSettingsFile);
  REQUIRE(file);
  REQUIRE(file->write(settings.SerializeAsString()));
  BackupManifest manifest;
  manifest.cluster = "c1";
  manifest.settings = file->finish().value();
  for (std::uint32_t p = 0; p < 2; ++p) manifest.parts.push_back(write_part(folder, p));
  REQUIRE(write_manifest(folder, manifest));
  return manifest;
}

void change_a_byte(const fs::path& file, std::uintmax_t at) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(static_cast<std::streamoff>(at));
  const char was = static_cast<char>(bytes.get());
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put(static_cast<char>(was ^ 1));
}

std::string why_not(const fs::path& folder) {
  const auto verified = verify_backup(folder);
  return verified ? std::string() : verified.error().message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Backup: is read back as it was written, readable by its owner only") {
  TempDirectory folder;
  const fs::path backup = folder.path() / "backup";
  const BackupManifest manifest = write_backup(backup);
  const auto read = verify_backup(backup);
  INFO(why_not(backup));
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(manifest));
  for (const auto& entry : fs::directory_iterator(backup))
    CHECK((entry.status().permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("Backup: whatever byte of whatever file is changed, the file is named") {
  TempDirectory folder;
  for (const char* name : {"partition-0", "partition-1", "settings", "manifest.json", "manifest.sha256"}) {
    for (const double where : {0.0, 0.3, 0.6, 0.999}) {
      const fs::path backup = folder.path() / "backup";
      write_backup(backup);
      const auto bytes = static_cast<double>(fs::file_size(backup / name));
      change_a_byte(backup / name, static_cast<std::uintmax_t>(bytes * where));
      INFO(name << " at " << where << ": " << why_not(backup));
      CHECK(contains(why_not(backup), std::string_view(name).starts_with("manifest") ? "manifest" : name));
      fs::remove_all(backup);
    }
  }
}

TEST_CASE("Backup: a file that is missing, cut off or exchanged for another is named") {
  TempDirectory folder;
  const fs::path backup = folder.path() / "backup";
  write_backup(backup);
  SECTION("missing") { fs::remove(backup / "partition-1"); }
  SECTION("cut off") { fs::resize_file(backup / "partition-1", fs::file_size(backup / "partition-1") - 1); }
  SECTION("cut off between pieces") {
    auto reader = PartReader::open(backup / "partition-1");
    REQUIRE(reader);
    const auto first = reader->next();
    REQUIRE(first);
    std::string framed;
    append_frame(framed, **first);
    fs::resize_file(backup / "partition-1", framed.size());
  }
  SECTION("exchanged") {
    fs::copy_file(backup / "partition-0", backup / "partition-1", fs::copy_options::overwrite_existing);
  }
  CHECK(contains(why_not(backup), "partition-1"));
  SystemRandom random;
  const auto restored = restore_backup(backup, folder.path() / "data", from_ms(1'700'000'000'000), random);
  REQUIRE_FALSE(restored);
  CHECK(contains(restored.error().message, "partition-1"));
  CHECK_FALSE(fs::exists(folder.path() / "data"));
}

TEST_CASE("Backup: a manifest that names files elsewhere, or is of a later format, is refused") {
  BackupManifest manifest;
  manifest.parts.push_back({0, 1, 1, "", {"../../etc/passwd", 1, ""}});
  CHECK_FALSE(parse_manifest(to_json(manifest)));
  manifest.parts[0].file.name = "partition-0";
  CHECK(parse_manifest(to_json(manifest)));
  manifest.format = kBackupFormat + 1;
  const auto later = parse_manifest(to_json(manifest));
  REQUIRE_FALSE(later);
  CHECK(later.error().code == Errc::unsupported);
}

TEST_CASE("Restore: makes a new store of a new cluster in a new generation, whose epochs lie beyond the backup's") {
  TempDirectory folder;
  const fs::path backup = folder.path() / "backup", data = folder.path() / "data";
  write_backup(backup);
  SystemRandom random;
  const auto restored = restore_backup(backup, data, from_ms(1'700'000'000'000), random);
  INFO((restored ? "" : restored.error().message));
  REQUIRE(restored);
  CHECK(restored->cluster != "c1");
  CHECK(restored->generation == failover::Generation{1'700'000'000, 1});

  auto directory = DataDirectory::open(data, random);
  REQUIRE(directory);
  RocksOptions options;
  options.path = (*directory)->state_path();
  const auto state = open_rocksdb(options);
  options.path = (*directory)->log_path();
  options.profile = RocksProfile::log;
  const auto log_database = open_rocksdb(options);
  REQUIRE((log_database && state));
  LogStore log(**log_database);
  failover::EmbeddedConfigStore store(log);
  CHECK(store.get(failover::kUuidKey)->value == restored->cluster);
  CHECK(store.get(failover::kTokenKeysKey)->value == "the token keys");
  CHECK(failover::load_generation(store).value() == restored->generation);
  CHECK(read_small_file(data / "operator.key").value() == "the operators' key\n");
  for (std::uint16_t p = 0; p < 2; ++p) {
    const PartitionId partition(p);
    CHECK(applied_seq(**state, partition).value() == Seq(kEntries));
    CHECK(log.bounds(partition).value() == std::pair(Seq(1), Seq(kEntries)));
    CHECK((*state)->get(keys::stored(partition, keys::name("ada"))).value() == "row of " + std::to_string(p));
    log::PartitionConfig config;
    REQUIRE(config.ParseFromString(store.get("part/" + std::to_string(p))->value));
    CHECK(config.epoch() > 3);
    CHECK(config.primary().store_id() == (*directory)->store_id().bytes());
    CHECK(log.meta(partition)->promised_epoch() == config.epoch());
  }
}

TEST_CASE("Restore: a data directory that has anything in it is left as it is") {
  TempDirectory folder;
  write_backup(folder.path() / "backup");
  fs::create_directory(folder.path() / "data");
  std::ofstream(folder.path() / "data" / "note") << "mine";
  SystemRandom random;
  const auto restored = restore_backup(folder.path() / "backup", folder.path() / "data", from_ms(1), random);
  REQUIRE_FALSE(restored);
  CHECK(contains(restored.error().message, "is not empty"));
  CHECK(fs::file_size(folder.path() / "data" / "note") == 4);
  fs::remove(folder.path() / "data" / "note");
  CHECK(restore_backup(folder.path() / "backup", folder.path() / "data", from_ms(1), random));
}
