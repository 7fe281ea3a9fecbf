#include "server/operator_key.h"

#include "base/hash.h"
#include "base/random.h"
#include "storage/file_util.h"

namespace holdfast {
namespace {

constexpr const char* kRow = "keys/operator";

bool is_key(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<std::string> load_operator_key(const std::filesystem::path& path) {
  auto content = read_small_file(path);
  if (!content) return content.error();
  if (!*content) {
    SystemRandom random;
    std::array<std::uint8_t, 32> bytes;
    random.fill(bytes);
    const std::string key = to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (const Status written = replace_file(path, key + "\n"); !written) return written.error();
    return key;
  }
  std::string key = **content;
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (!is_key(key))
    return Error{Errc::corrupt, path.string() + " does not hold 64 hex digits: delete it, and a new key is made"};
  return key;
}

Result<std::string> share_operator_key(failover::ConfigStore& cluster, const std::filesystem::path& path) {
  auto row = cluster.get(kRow);
  if (!row) return row.error();
  if (row->revision == 0) {
    const auto own = load_operator_key(path);
    if (!own) return own.error();
    const auto written = cluster.transact({{kRow, 0}}, {{kRow, *own}});
    if (!written) return written.error();
    row = cluster.get(kRow);  // ours, or that of another node that was faster
    if (!row) return row.error();
  }
  if (!is_key(row->value))
    return Error{Errc::corrupt, std::string("the configuration store's ") + kRow + " does not hold 64 hex digits"};
  const auto file = read_small_file(path);
  if (!file) return file.error();
  if (*file != row->value + "\n")
    if (const Status noted = replace_file(path, row->value + "\n"); !noted) return noted.error();
  return row->value;
}

}  // namespace holdfast
