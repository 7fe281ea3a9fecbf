#include <boost/json.hpp>

#include "tools/holdfastctl/backup_files.h"

namespace holdfast::ctl {
namespace {

namespace json = boost::json;

json::object object_of(const BackupManifest::File& file) {
  return {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}};
}

/// What is missing, or of another kind, is remembered: the first of it.
class Reader {
 public:
  std::string text(const json::object& from, const char* name) {
    const auto* value = from.if_contains(name);
    if (value != nullptr && value->is_string()) return std::string(value->as_string());
    return miss(name), std::string();
  }
  std::uint64_t number(const json::object& from, const char* name) {
    const auto* value = from.if_contains(name);
    json::error_code error;
    const auto number = value == nullptr ? 0 : value->to_number<std::uint64_t>(error);
    if (value == nullptr || error) miss(name);
    return number;
  }
  BackupManifest::File file(const json::object& from, const char* name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_object()) return miss(name), BackupManifest::File{};
    const json::object& file = value->as_object();
    BackupManifest::File read{text(file, "name"), number(file, "bytes"), text(file, "sha256")};
    if (read.name.find('/') != std::string::npos) miss("name");
    return read;
  }
  void miss(const char* name) {
    if (missing.empty()) missing = name;
  }
  std::string missing;
};

}  // namespace

std::string to_json(const BackupManifest& manifest) {
  json::array parts;
  for (const auto& part : manifest.parts)
    parts.push_back(json::object{{"partition", part.partition},
                                 {"epoch", part.epoch},
                                 {"seq", part.seq},
                                 {"chain", part.chain},
                                 {"file", object_of(part.file)}});
  return json::serialize(json::object{{"format", manifest.format},
                                      {"cluster", manifest.cluster},
                                      {"version", manifest.version},
                                      {"generation", manifest.generation},
                                      {"restores", manifest.restores},
                                      {"time_ms", manifest.time_ms},
                                      {"settings", object_of(manifest.settings)},
                                      {"parts", std::move(parts)}}) +
         "\n";
}

Result<BackupManifest> parse_manifest(std::string_view text) {
  json::error_code error;
  const json::value parsed = json::parse({text.data(), text.size()}, error);
  if (error || !parsed.is_object()) return Error{Errc::corrupt, "this is no manifest of a backup"};
  const json::object& from = parsed.as_object();
  Reader read;
  BackupManifest manifest;
  manifest.format = static_cast<std::uint32_t>(read.number(from, "format"));
  if (manifest.format > kBackupFormat)
    return Error{Errc::unsupported, "this backup has format " + std::to_string(manifest.format) +
                                        ", made by a later version than this holdfastctl"};
  manifest.cluster = read.text(from, "cluster");
  manifest.version = read.text(from, "version");
  manifest.generation = read.number(from, "generation");
  manifest.restores = read.number(from, "restores");
  manifest.time_ms = static_cast<std::int64_t>(read.number(from, "time_ms"));
  manifest.settings = read.file(from, "settings");
  const auto* parts = from.if_contains("parts");
  if (parts == nullptr || !parts->is_array() || parts->as_array().empty())
    return Error{Errc::corrupt, "there are no parts"};
  for (const json::value& each : parts->as_array()) {
    if (!each.is_object()) return Error{Errc::corrupt, "a part can't be read"};
    const json::object& part = each.as_object();
    BackupManifest::Part one;
    one.partition = static_cast<std::uint32_t>(read.number(part, "partition"));
    one.epoch = read.number(part, "epoch");
    one.seq = read.number(part, "seq");
    one.chain = read.text(part, "chain");
    one.file = read.file(part, "file");
    if (one.partition != manifest.parts.size()) read.miss("partition");
    manifest.parts.push_back(std::move(one));
  }
  if (!read.missing.empty())
    return Error{Errc::corrupt, "'" + read.missing + "' is missing or is not what it should be"};
  return manifest;
}

}  // namespace holdfast::ctl
