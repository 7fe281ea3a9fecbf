#include "server/config.h"

// Debian's compiled library throws; errors as values want the headers compiled here.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <thread>

#include "failover/io/etcd_address.h"
#include "server/config_keys.h"
#include "server/mail/address.h"

namespace holdfast {
namespace {

/// "holdfast.toml:12: clients.keepalive_s: ..."
Error mistake(const std::string& name, const toml::source_region& where, const std::string& what) {
  return {Errc::invalid_argument, name + ":" + std::to_string(where.begin.line) + ": " + what};
}

std::string text_of(const toml::node& node) {
  std::ostringstream out;
  if (const auto* string = node.as_string()) {
    out << '"' << string->get() << '"';
  } else if (const auto* number = node.as_integer()) {
    out << number->get();
  } else if (const auto* truth = node.as_boolean()) {
    out << (truth->get() ? "true" : "false");
  } else {
    out << "a value of type " << node.type();
  }
  return out.str();
}

std::optional<ConfigValue> value_of(const toml::node& node) {
  if (const auto* truth = node.as_boolean()) return ConfigValue(truth->get());
  if (const auto* number = node.as_integer()) return ConfigValue(number->get());
  if (const auto* string = node.as_string()) return ConfigValue(string->get());
  return std::nullopt;
}

bool is_section(std::string_view name) {
  for (const auto& section : config_sections()) {
    if (!name.empty() && section.name == name) return true;
  }
  return false;
}

std::string names_in(std::string_view section) {
  std::string names;
  for (const auto& key : config_keys()) {
    if (key.section == section) names += (names.empty() ? "" : ", ") + key.name;
  }
  if (!section.empty()) return names;
  for (const auto& one : config_sections()) {
    if (!one.name.empty()) names += ", [" + one.name + "]";
  }
  return names;
}

Status take_value(Config& config, const std::string& file, const std::string& section, std::string_view name,
                  const toml::node& node) {
  const ConfigKey* key = find_config_key(section, name);
  const std::string shown = section.empty() ? std::string(name) : section + "." + std::string(name);
  if (!key) return mistake(file, node.source(), "unknown key " + shown + "; there are: " + names_in(section));
  const auto value = value_of(node);
  if (value) {
    if (auto taken = key->set(config, *value)) return taken;
  }
  return mistake(file, node.source(), shown + " is " + text_of(node) + "; allowed: " + key->allowed);
}

Status take_table(Config& config, const std::string& file, const toml::table& table) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto* section = node.as_table();
    if (!section) {
      if (auto taken = take_value(config, file, "", name, node); !taken) return taken;
      continue;
    }
    if (!is_section(name)) {
      return mistake(file, key.source(), "unknown section [" + name + "]; there are: " + names_in(""));
    }
    for (const auto& [inner, value] : *section) {
      if (auto taken = take_value(config, file, name, inner.str(), value); !taken) return taken;
    }
  }
  return Ok{};
}

/// Links are made by hanging a path on it, so it is plain.
Status check_base_url(const std::string& url) {
  if (url.empty()) return Ok{};
  const auto parsed = boost::urls::parse_uri(url);
  const bool web = parsed && (parsed->scheme() == "https" || parsed->scheme() == "http") && !parsed->host().empty();
  if (!web || parsed->has_query() || parsed->has_fragment() || parsed->has_userinfo() || url.ends_with('/'))
    return Error{Errc::invalid_argument,
                 "base_url is where users reach the pages: https://host[:port][/path], without a slash at its end"};
  return Ok{};
}

/// What no key alone can tell.
Status fit_together(Config& config, const std::string& file) {
  const auto wrong = [&](const std::string& what) { return Error{Errc::invalid_argument, file + ": " + what}; };
  if (config.tls_certificate.empty() != config.tls_key.empty()) {
    return wrong("tls.certificate and tls.key go together: set both or neither");
  }
  if (config.limits.login_failures_lock <= config.limits.login_failures_free) {
    return wrong("passwords.failures_lock must be more than passwords.failures_free");
  }
  if (config.gateway.session.login_max < config.gateway.session.hello_max) {
    return wrong("clients.login_max_s must be at least clients.handshake_max_s");
  }
  if (config.data.empty()) return wrong("data must name a directory");
  if (config.lmtp.listen && config.lmtp.domain.empty())
    return wrong("lmtp.listen needs lmtp.domain: the domain of the addresses that answers go to");
  if (const Status domain = config.lmtp.domain.empty() ? Status(Ok{}) : mail::check_domain(config.lmtp.domain); !domain)
    return wrong("lmtp.domain: " + domain.error().message);
  if (const Status base = check_base_url(config.base_url); !base) return wrong(base.error().message);
  auto proxies = TrustedProxies::parse(config.trusted_proxies);
  if (!proxies) return wrong("trusted_proxies: " + proxies.error().message);
  config.gateway.proxies = std::move(*proxies);
  if (const Status cluster = check_cluster(config.cluster); !cluster) return wrong(cluster.error().message);
  if (const Status mail = mail::check_mail(config.mail); !mail) return wrong(mail.error().message);
  config.limits.large_group_back_at = config.limits.large_group_above * 9 / 10;
  if (config.workers == 0) config.workers = std::max(1u, std::thread::hardware_concurrency());
  return Ok{};
}

}  // namespace

Status check_cluster(const ClusterConfig& cluster) {
  const auto wrong = [](std::string what) { return Error{Errc::invalid_argument, std::move(what)}; };
  if (cluster.min_in_sync > cluster.copies)
    return wrong("cluster.min_in_sync is at most cluster.copies: that many copies there would never be");
  const bool any = !cluster.ca.empty() || !cluster.certificate.empty() || !cluster.key.empty();
  const bool all = !cluster.ca.empty() && !cluster.certificate.empty() && !cluster.key.empty();
  if (any && !all) return wrong("cluster.ca, cluster.certificate and cluster.key go together: set all three or none");
  for (const auto& [name, address] :
       {std::pair("peer_address", &cluster.peer_address), std::pair("client_address", &cluster.client_address)}) {
    if (address->empty()) continue;
    if (const auto parsed = parse_host_port(*address); !parsed)
      return wrong("cluster." + std::string(name) + ": " + parsed.error().message);
  }
  if (cluster.store.empty()) return Ok{};
  if (const auto store = failover::parse_etcd_address(cluster.store); !store)
    return wrong("cluster.store: " + store.error().message);
  if (!all && !cluster.allow_plaintext)
    return wrong(
        "nodes speak TLS with each other: make certificates with `holdfastctl certs` and set cluster.ca, "
        "cluster.certificate and cluster.key, or set cluster.allow_plaintext on a private network");
  return Ok{};
}

Result<Config> parse_config(std::string_view toml, const std::string& name) {
  const toml::parse_result parsed = toml::parse(toml);
  if (!parsed) return mistake(name, parsed.error().source(), std::string(parsed.error().description()));
  Config config;
  config.file = name;
  if (auto taken = take_table(config, name, parsed.table()); !taken) return taken.error();
  if (auto fits = fit_together(config, name); !fits) return fits.error();
  return config;
}

std::string configuration_docs() {
  std::string out =
      "# Configuration\n\n"
      "<!-- Made by `holdfastd --print-config-docs`; a test compares. -->\n\n"
      "`holdfastd` reads `holdfast.toml` from the folder it is started in, or the file that `--config` names; without "
      "a "
      "file everything has its default. Flags override the file. An unknown key or a bad value ends the start with "
      "exit code 2, and the message names the key, the line and what is allowed; `--check-config` does only that. "
      "A key's last word is its unit; numbers are whole.\n";
  const Config defaults;
  for (const auto& section : config_sections()) {
    out += section.name.empty() ? "\n## General\n\n" : "\n## [" + section.name + "]\n\n" + section.doc + "\n\n";
    out += "| key | default | allowed | what |\n| --- | --- | --- | --- |\n";
    for (const auto& key : config_keys()) {
      if (key.section != section.name) continue;
      out += "| `" + key.name + "` | `" + key.show(defaults) + "` | " + key.allowed + " | " + key.doc + " |\n";
    }
  }
  return out;
}

}  // namespace holdfast
