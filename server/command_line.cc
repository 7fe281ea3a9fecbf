#include <CLI/CLI.hpp>

#include <fstream>
#include <sstream>

#include "base/version.h"
#include "server/config.h"
#include "server/config_keys.h"

namespace holdfast {
namespace {

struct Flags {
  std::string config, data, listen, http, admin, join, node_name, peer_listen;
  std::int64_t workers = -1;
  bool check_config = false, print_docs = false, allow_clock_jump = false;
};

void declare(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config, "The configuration file (default: ./holdfast.toml if it is there)");
  app.add_option("--data", flags.data, "The data directory (default: ./data)");
  app.add_option("--listen", flags.listen, "HOST:PORT for clients (default: 0.0.0.0:7400)");
  app.add_option("--http", flags.http, "HOST:PORT for pages that users see (default: 0.0.0.0:7480)");
  app.add_option("--admin", flags.admin, "HOST:PORT for operators (default: 127.0.0.1:7490)");
  app.add_option("--join", flags.join,
                 "etcd://HOST:PORT[,...]: be a node of the cluster there, the first one if need be");
  app.add_option("--node-name", flags.node_name, "What this node is called in its cluster (default: the host's name)");
  app.add_option("--peer-listen", flags.peer_listen, "HOST:PORT for other nodes (default: 0.0.0.0:7410)");
  app.add_option("--workers", flags.workers, "Threads (default: one for each core)");
  app.add_flag("--allow-clock-jump", flags.allow_clock_jump, "Start although the clock jumped by more than a day");
  app.add_flag("--check-config", flags.check_config, "Check the configuration and exit");
  app.add_flag("--print-config-docs", flags.print_docs, "Print docs/configuration.md and exit");
  app.set_version_flag("--version", "holdfastd " + std::string(kVersion));
}

Result<std::string> contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.is_open() || in.bad()) return Error{Errc::not_found, "--config " + path + ": can't be read"};
  return text.str();
}

Result<Config> read_file(const Flags& flags) {
  const std::string path = flags.config.empty() ? "holdfast.toml" : flags.config;
  if (flags.config.empty() && !std::ifstream(path).is_open()) {
    auto defaults = parse_config("", "defaults");
    if (defaults) defaults->file.clear();
    return defaults;
  }
  auto text = contents_of(path);
  if (!text) return text.error();
  return parse_config(*text, path);
}

/// A flag is a key of the file given elsewhere: the same bounds, the same words.
Status override_key(Config& config, const char* name, const ConfigValue& value) {
  const ConfigKey* key = find_config_key("", name);
  HF_CHECK(key != nullptr, "flags are keys");
  if (auto taken = key->set(config, value)) return taken;
  return Error{Errc::invalid_argument, std::string("--") + name + ": allowed: " + key->allowed};
}

Status apply(Config& config, const Flags& flags) {
  const std::pair<const char*, const std::string*> texts[] = {
      {"data", &flags.data}, {"listen", &flags.listen}, {"http", &flags.http}, {"admin", &flags.admin}};
  for (const auto& [name, value] : texts) {
    if (value->empty()) continue;
    if (auto taken = override_key(config, name, *value); !taken) return taken;
  }
  const std::pair<const char*, const std::string*> cluster[] = {
      {"store", &flags.join}, {"node_name", &flags.node_name}, {"listen", &flags.peer_listen}};
  for (const auto& [name, value] : cluster) {
    if (value->empty()) continue;
    const ConfigKey* key = find_config_key("cluster", name);
    if (auto taken = key->set(config, *value); !taken)
      return Error{Errc::invalid_argument, "cluster." + std::string(name) + ": allowed: " + key->allowed};
  }
  if (flags.workers != -1) {
    if (flags.workers < 1) return Error{Errc::invalid_argument, "--workers: allowed: 1 to 256"};
    if (auto taken = override_key(config, "workers", flags.workers); !taken) return taken;
  }
  if (flags.allow_clock_jump) config.storage.allow_clock_jump = true;
  return Ok{};
}

constexpr int kUsageError = 2;

}  // namespace

std::variant<Config, Leave> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("Holdfast: a chat backend that holds fast when its servers die.", "holdfastd");
  Flags flags;
  declare(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // also how CLI11 says --help and --version
    std::ostringstream out, err;
    const int code = app.exit(error, out, err);
    return Leave{code == 0 ? 0 : kUsageError, out.str(), err.str()};
  }
  if (flags.print_docs) return Leave{0, configuration_docs(), ""};
  auto config = read_file(flags);
  if (!config) return Leave{kUsageError, "", config.error().message + "\n"};
  if (auto applied = apply(*config, flags); !applied) return Leave{kUsageError, "", applied.error().message + "\n"};
  if (const Status fits = check_cluster(config->cluster); !fits)
    return Leave{kUsageError, "", fits.error().message + "\n"};
  if (flags.check_config) {
    const std::string what = config->file.empty() ? "defaults" : config->file;
    return Leave{0, what + ": in order\n", ""};
  }
  return std::move(*config);
}

}  // namespace holdfast
