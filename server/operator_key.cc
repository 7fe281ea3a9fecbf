#include "server/operator_key.h"

#include "base/hash.h"
#include "base/random.h"
#include "storage/file_util.h"

namespace holdfast {

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
  if (key.size() != 64 || key.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Error{Errc::corrupt, path.string() + " does not hold 64 hex digits: delete it, and a new key is made"};
  return key;
}

}  // namespace holdfast
