#include "server/config.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/version.h"
#include "server/config_keys.h"

using namespace holdfast;
using namespace std::chrono_literals;

namespace {

std::string error_of(std::string_view toml) {
  const auto config = parse_config(toml, "holdfast.toml");
  REQUIRE_FALSE(config);
  return config.error().message;
}

std::variant<Config, Leave> run(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "holdfastd");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Leave leaves(std::vector<const char*> arguments) {
  auto outcome = run(std::move(arguments));
  REQUIRE(std::holds_alternative<Leave>(outcome));
  return std::get<Leave>(outcome);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string source_file(const std::string& path) {
  const char* root = std::getenv("HOLDFAST_SOURCE");
  return file_text((root ? std::string(root) + "/" : "") + path);
}

/// The least and the most of "LEAST to MOST".
std::pair<std::int64_t, std::int64_t> bounds_of(const ConfigKey& key) {
  const auto at = key.allowed.find(" to ");
  return {std::stoll(key.allowed.substr(0, at)), std::stoll(key.allowed.substr(at + 4))};
}

bool is_number(const ConfigKey& key) {
  return key.allowed.find(" to ") != std::string::npos && std::isdigit(static_cast<unsigned char>(key.allowed[0]));
}

/// A folder with a file, gone with the test.
struct TempFile {
  explicit TempFile(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    path = name + "/holdfast.toml";
    std::ofstream(path) << text;
  }
  ~TempFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string folder, path;
};

}  // namespace

TEST_CASE("Config: an empty file gives the defaults, and as many workers as cores") {
  const auto config = parse_config("", "holdfast.toml");
  REQUIRE(config);
  CHECK(config->listen.str() == "0.0.0.0:7400");
  CHECK(config->admin.str() == "127.0.0.1:7490");
  CHECK(config->partitions == 64);
  CHECK(config->workers >= 1);
  CHECK_FALSE(config->gateway.allow_plaintext);
}

TEST_CASE("Config: values reach their fields, in their units") {
  const auto config = parse_config(
      "listen = '[::1]:1234'\nworkers = 3\n"
      "[clients]\nallow_plaintext = true\nkeepalive_s = 30\ndrain_retry_after_ms = 1500\n"
      "[limits]\ninbox_age_max_days = 2\nlarge_group_above = 500\n"
      "[log]\nlevel = 'warning'\nformat = 'json'\n",
      "holdfast.toml");
  REQUIRE(config);
  CHECK(config->listen.host == "::1");
  CHECK(config->listen.port == 1234);
  CHECK(config->workers == 3);
  CHECK(config->gateway.allow_plaintext);
  CHECK(config->gateway.session.keepalive == 30s);
  CHECK(config->drain_retry_after == 1500ms);
  CHECK(config->limits.inbox_age_max == 48h);
  CHECK(config->limits.large_group_back_at == 450);
  CHECK(config->log_level == LogLevel::warning);
  CHECK(config->log_format == LogFormat::json);
}

TEST_CASE("Config: every key takes its default and its bounds, and nothing beyond them") {
  for (const auto& key : config_keys()) {
    INFO(key.full_name());
    const Config defaults;
    const std::string section = key.section.empty() ? "" : "[" + key.section + "]\n";
    Config config;
    if (!is_number(key)) {
      CHECK(parse_config(section + key.name + " = " + key.show(defaults), "t"));
      CHECK_FALSE(key.set(config, std::int64_t{1}));
      continue;
    }
    const auto [least, most] = bounds_of(key);
    CHECK(key.set(config, least));
    CHECK(key.show(config) == std::to_string(least));
    CHECK(key.set(config, most));
    CHECK(key.show(config) == std::to_string(most));
    CHECK_FALSE(key.set(config, least - 1));
    CHECK_FALSE(key.set(config, most + 1));
    CHECK_FALSE(key.set(config, std::string("1")));
    CHECK_FALSE(key.set(config, true));
    CHECK(key.show(config) == std::to_string(most));  // what is refused changes nothing
    const auto standing = std::stoll(key.show(defaults));
    CHECK(standing >= least);
    CHECK(standing <= most);
  }
}

TEST_CASE("Config: every key is a key once, in a section that is documented") {
  std::set<std::string> names;
  for (const auto& key : config_keys()) {
    CHECK(names.insert(key.full_name()).second);
    CHECK_FALSE(key.doc.empty());
    CHECK(find_config_key(key.section, key.name) == &key);
    const auto& sections = config_sections();
    CHECK(std::any_of(sections.begin(), sections.end(), [&](const auto& one) { return one.name == key.section; }));
  }
}

TEST_CASE("Config: an address that may be missing is off when it is empty") {
  const auto config = parse_config("[lmtp]\nlisten = '127.0.0.1:2424'\ndomain = 'reply.test'\n", "holdfast.toml");
  REQUIRE(config);
  REQUIRE(config->lmtp.listen);
  CHECK(config->lmtp.listen->port == 2424);
  CHECK(contains(error_of("[lmtp]\nlisten = '127.0.0.1:2424'\n"), "lmtp.listen needs lmtp.domain"));
  CHECK_FALSE(parse_config("[lmtp]\nlisten = ''\n", "holdfast.toml").value().lmtp.listen);
  CHECK(error_of("[lmtp]\nlisten = '2424'\n") ==
        "holdfast.toml:2: lmtp.listen is \"2424\"; allowed: \"HOST:PORT\" or \"[V6]:PORT\", with an address of this "
        "machine, or empty");
}

TEST_CASE("Config: a mistake names the key, the line and what is allowed") {
  CHECK(error_of("\n\n[clients]\nkeepalive_s = 1\n") ==
        "holdfast.toml:4: clients.keepalive_s is 1; allowed: 5 to 3600");
  CHECK(error_of("workers = 'many'\n") == "holdfast.toml:1: workers is \"many\"; allowed: 0 to 256");
  CHECK(error_of("workers = 1.5\n") == "holdfast.toml:1: workers is a value of type floating-point; allowed: 0 to 256");
  CHECK(error_of("[log]\nlevel = 'loud'\n") ==
        "holdfast.toml:2: log.level is \"loud\"; allowed: \"debug\", \"info\", \"warning\", \"error\"");
  CHECK(contains(error_of("listen = '7400'\n"), "holdfast.toml:1: listen is \"7400\"; allowed: \"HOST:PORT\""));
}

TEST_CASE("Config: an unknown key or section is named, with those that exist") {
  CHECK(error_of("\n[log]\nlevle = 'info'\n") == "holdfast.toml:3: unknown key log.levle; there are: level, format");
  CHECK(contains(error_of("prot = 1\n"), "holdfast.toml:1: unknown key prot; there are: data, listen"));
  CHECK(contains(error_of("\n[client]\nkeepalive_s = 60\n"), "holdfast.toml:2: unknown section [client]"));
  CHECK(contains(error_of("[log.more]\nx = 1\n"), "unknown key log.more"));
}

TEST_CASE("Config: what is no TOML is refused with its line") {
  CHECK(contains(error_of("workers = 2\nlisten = \n"), "holdfast.toml:2: "));
}

TEST_CASE("Config: what must fit together is checked") {
  CHECK(contains(error_of("[tls]\ncertificate = 'a.pem'\n"), "tls.certificate and tls.key"));
  CHECK(contains(error_of("[passwords]\nfailures_free = 10\nfailures_lock = 5\n"), "failures_lock"));
  CHECK(contains(error_of("[cluster]\ncopies = 2\nmin_in_sync = 3\n"), "cluster.min_in_sync is at most"));
  CHECK(contains(error_of("[cluster]\ncertificate = 'n.pem'\n"), "cluster.ca, cluster.certificate and cluster.key"));
  CHECK(contains(error_of("[cluster]\npeer_address = 'nonsense'\n"), "cluster.peer_address"));
  CHECK(contains(error_of("[cluster]\nstore = 'foo://x'\n"), "cluster.store"));
  CHECK(contains(error_of("[cluster]\nstore = 'etcd://127.0.0.1:2379'\n"), "holdfastctl certs"));
  CHECK(contains(error_of("[mail]\nrelays = 'smtp://localhost'\n"), "holdfast.toml: mail.from: it is missing"));
  CHECK(contains(error_of("[mail]\ntemplates = '/nowhere'\n"), "holdfast.toml: mail.templates: "));
  CHECK(parse_config("[cluster]\nstore = 'etcd://127.0.0.1:2379'\nallow_plaintext = true\n", "t"));
  for (const char* url :
       {"chat.test", "ftp://chat.test", "https://chat.test/", "https://chat.test?x", "https://u@chat.test"})
    CHECK(contains(error_of("base_url = '" + std::string(url) + "'\n"), "base_url is where users reach the pages"));
  CHECK(parse_config("base_url = 'https://chat.test:8443/users'\n", "t"));
}

TEST_CASE("Config: trusted_proxies are addresses and networks, and what is neither is named") {
  const auto config = parse_config("trusted_proxies = '10.0.0.0/8, ::1'\n", "t");
  REQUIRE(config);
  CHECK(config->gateway.proxies.trusts("10.1.2.3"));
  CHECK_FALSE(config->gateway.proxies.trusts("192.0.2.7"));
  CHECK(contains(error_of("trusted_proxies = '10.0.0.0/8, proxy.test'\n"), "trusted_proxies: \"proxy.test\" is no"));
}

TEST_CASE("Config: flags override the file") {
  const TempFile file("listen = '127.0.0.1:1'\nadmin = '127.0.0.1:2'\n");
  auto outcome = run({"--config", file.path.c_str(), "--listen", "127.0.0.1:3", "--workers", "5", "--data", "/d"});
  REQUIRE(std::holds_alternative<Config>(outcome));
  const auto& config = std::get<Config>(outcome);
  CHECK(config.listen.port == 3);
  CHECK(config.admin.port == 2);
  CHECK(config.workers == 5);
  CHECK(config.data == "/d");
}

TEST_CASE("Config: the command line's mistakes leave with 2, its questions with 0") {
  CHECK(leaves({"--version"}).exit_code == 0);
  CHECK(leaves({"--version"}).out == "holdfastd " + std::string(kVersion) + "\n");
  CHECK(contains(leaves({"--help"}).out, "--check-config"));
  CHECK(leaves({"--wrokers", "2"}).exit_code == 2);
  CHECK(contains(leaves({"--wrokers", "2"}).err, "--wrokers"));
  CHECK(contains(leaves({"--workers", "0"}).err, "1 to 256"));
  CHECK(contains(leaves({"--listen", "nowhere"}).err, "--listen"));
  CHECK(contains(leaves({"--join", "etcd://127.0.0.1:2379"}).err, "holdfastctl certs"));
  CHECK(leaves({"--config", "/nonexistent.toml"}).exit_code == 2);
  CHECK(contains(leaves({"--config", "/nonexistent.toml"}).err, "/nonexistent.toml"));
}

TEST_CASE("Config: --check-config says what is wrong, or that all is in order") {
  const TempFile good("workers = 1\n"), bad("wrokers = 1\n");
  CHECK(leaves({"--check-config", "--config", good.path.c_str()}).exit_code == 0);
  const auto refused = leaves({"--check-config", "--config", bad.path.c_str()});
  CHECK(refused.exit_code == 2);
  CHECK(contains(refused.err, bad.path + ":1: unknown key wrokers"));
}

TEST_CASE("Config: docs/configuration.md is what the table says") {
  CHECK(source_file("docs/configuration.md") == configuration_docs());
}

TEST_CASE("Config: holdfast.toml.example is taken as it stands, and says the defaults") {
  const auto text = source_file("holdfast.toml.example");
  const auto config = parse_config(text, "holdfast.toml.example");
  REQUIRE(config);
  const auto defaults = parse_config("", "defaults");
  REQUIRE(defaults);
  for (const auto& key : config_keys()) CHECK(key.show(*config) == key.show(*defaults));
}

TEST_CASE("Version: the program says what the build file says") {
  CHECK(contains(source_file("CMakeLists.txt"), "VERSION " + std::string(kVersion) + " "));
}
