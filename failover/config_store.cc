#include "failover/config_store.h"

#include "base/check.h"

namespace holdfast::failover {
namespace {

std::string with_revision(std::uint64_t revision, std::string_view value) {
  std::string stored;
  for (int shift = 56; shift >= 0; shift -= 8) stored.push_back(static_cast<char>(revision >> shift));
  return stored.append(value);
}

Result<ConfigRow> parse(std::string_view stored) {
  if (stored.size() < 8) return Error{Errc::corrupt, "a configuration row is shorter than its revision"};
  ConfigRow row;
  for (int i = 0; i < 8; ++i)
    row.revision = row.revision << 8 | static_cast<std::uint8_t>(stored[static_cast<std::size_t>(i)]);
  row.value = stored.substr(8);
  return row;
}

}  // namespace

Result<ConfigRow> EmbeddedConfigStore::get(std::string_view key) {
  auto stored = log_.config(key);
  if (!stored) return stored.error();
  if (!*stored) return ConfigRow{};
  return parse(**stored);
}

Result<ConfigRows> EmbeddedConfigStore::list(std::string_view prefix) {
  auto stored = log_.config_with_prefix(prefix);
  if (!stored) return stored.error();
  ConfigRows listed;
  for (const auto& [key, value] : *stored) {
    auto row = parse(value);
    if (!row) return row.error();
    listed.revision = std::max(listed.revision, row->revision);
    listed.rows.emplace(key, std::move(*row));
  }
  return listed;
}

Result<bool> EmbeddedConfigStore::transact(const Transaction& transaction) {
  HF_CHECK(transaction.removes.empty(), "a node that is alone removes no rows");
  const std::lock_guard lock(mutex_);
  for (const Compare& compare : transaction.compares) {
    auto row = get(compare.key);
    if (!row) return row.error();
    if (row->revision != compare.revision) return false;
  }
  std::map<std::string, std::string> stored;
  for (const auto* puts : {&transaction.puts, &transaction.leased_puts}) {
    for (const auto& [key, value] : *puts) {
      auto row = get(key);
      if (!row) return row.error();
      stored.emplace(key, with_revision(row->revision + 1, value));
    }
  }
  const Status written = log_.write_config(stored);
  if (!written) return written.error();
  return true;
}

}  // namespace holdfast::failover
