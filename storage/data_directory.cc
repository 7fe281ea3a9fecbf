#include "storage/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/hash.h"

namespace holdfast {
namespace {

constexpr std::string_view kFormat = "holdfast data 1\n";
constexpr std::string_view kFormatFamily = "holdfast data ";

Status make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("can't create directory", path);
  return Ok{};
}

std::optional<StoreId> parse_store_id(std::string_view hex) {
  std::array<std::uint8_t, StoreId::kBytes> bytes{};
  if (hex.ends_with('\n')) hex.remove_suffix(1);
  if (hex.size() != 2 * bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char* const digits = hex.data() + 2 * i;
    if (std::from_chars(digits, digits + 2, bytes[i], 16).ptr != digits + 2) return std::nullopt;
  }
  return StoreId(bytes);
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const std::filesystem::path& path, Random& random) {
  if (auto made = make_directory(path); !made) return made.error();
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path));
  if (auto locked = directory->take_lock(); !locked) return locked.error();

  const auto format = read_small_file(path / "format");
  if (!format) return format.error();
  auto ready = *format ? directory->check_format() : directory->make(random);
  if (ready) ready = directory->read_store_id();
  if (!ready) return ready.error();
  for (const auto& part : {directory->log_path(), directory->state_path()})
    if (auto made = make_directory(part); !made) return made.error();
  return directory;
}

Status DataDirectory::take_lock() {
  const std::filesystem::path file = path_ / "LOCK";
  lock_ = FileDescriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return system_error("can't open", file);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_error("can't lock", file);
    const auto holder = read_small_file(file);
    std::string pid = holder && *holder ? **holder : std::string();
    if (pid.ends_with('\n')) pid.pop_back();
    return Error{Errc::in_use, "the data directory " + path_.string() + " is in use by process " +
                                   (pid.empty() ? std::string("(unknown)") : pid)};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), pid.data(), pid.size(), 0) < 0)
    return system_error("can't write", file);
  return Ok{};
}

Status DataDirectory::check_format() {
  const auto format = read_small_file(path_ / "format");
  if (!format) return format.error();
  if (**format == kFormat) return Ok{};
  if ((*format)->starts_with(kFormatFamily))
    return Error{Errc::unsupported,
                 "the data directory " + path_.string() + " was made by another version: " + **format};
  return Error{Errc::corrupt, "the data directory " + path_.string() + " has a damaged format file"};
}

/// `format` is written last: a directory without it was never used, and is made again.
Status DataDirectory::make(Random& random) {
  for (const auto& part : {log_path(), state_path()})
    if (std::filesystem::exists(part) && !std::filesystem::is_empty(part))
      return Error{Errc::corrupt, part.string() + " is not empty, but " + path_.string() + " has no format file"};
  is_new_ = true;
  const auto id = random.id<StoreId>();
  if (auto good = replace_file(path_ / "store_id", to_hex(id.bytes()) + "\n"); !good) return good;
  if (auto good = replace_file(path_ / "format", kFormat); !good) return good;
  return sync_directory(std::filesystem::absolute(path_).parent_path());
}

Status DataDirectory::read_store_id() {
  const auto content = read_small_file(path_ / "store_id");
  if (!content) return content.error();
  const auto id = *content ? parse_store_id(**content) : std::nullopt;
  if (!id) return Error{Errc::corrupt, (path_ / "store_id").string() + " is missing or damaged"};
  store_id_ = *id;
  return Ok{};
}

}  // namespace holdfast
