#include "server/mail/outbox.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <system_error>

#include "storage/file_util.h"

namespace holdfast::mail {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kIdCharacters = 16;

std::string time_of(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> out;
  std::snprintf(out.data(), out.size(), "%04d%02u%02uT%02d%02d%02d.%03dZ", int(date.year()), unsigned(date.month()),
                unsigned(date.day()), int(clock.hours().count()), int(clock.minutes().count()),
                int(clock.seconds().count()), int(clock.subseconds().count()));
  return out.data();
}

/// A Message-ID may hold a slash.
std::string name_of(const Mail& mail) {
  std::string id;
  for (const char c : mail.id.left().substr(0, kIdCharacters))
    id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return time_of(mail.date) + "-" + id + ".eml";
}

}  // namespace

Result<std::unique_ptr<Outbox>> Outbox::open(OutboxOptions options) {
  const fs::path directory = options.directory;
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return Error{Errc::io, "can't make the outbox " + directory.string() + ": " + failed.message()};
  if (::chmod(directory.c_str(), 0700) != 0) return system_error("can't close to others", directory);
  std::unique_ptr<Outbox> outbox(new Outbox(std::move(options)));
  if (const Status counted = outbox->count(); !counted) return counted.error();
  return outbox;
}

Result<fs::path> Outbox::write(const Mail& mail) {
  const std::lock_guard lock(mutex_);
  const std::string name = name_of(mail);
  if (const Status room = make_room(name, mail.text.size()); !room) return room.error();
  const fs::path path = options_.directory / name;
  if (const Status written = replace_file(path, mail.text); !written) return written.error();
  auto& size = sizes_[name];
  bytes_ += mail.text.size() - size;
  size = mail.text.size();
  return path;
}

/// What a crash left half written goes; files that somebody took away or put here are noticed.
Status Outbox::count() {
  sizes_.clear();
  bytes_ = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(options_.directory, failed)) {
    std::error_code gone;
    const fs::path& path = entry.path();
    if (path.extension() == ".new") fs::remove(path, gone);
    if (path.extension() != ".eml") continue;
    const auto size = entry.file_size(gone);
    if (gone) continue;
    sizes_[path.filename().string()] = size;
    bytes_ += size;
  }
  if (failed) return Error{Errc::io, "can't read the outbox " + options_.directory.string() + ": " + failed.message()};
  return Ok{};
}

bool Outbox::is_full(std::uint64_t more_bytes, std::size_t more_files) const {
  return bytes_ + more_bytes > options_.bytes_max || sizes_.size() + more_files > options_.files_max;
}

Status Outbox::make_room(const std::string& name, std::uint64_t size) {
  if (size > options_.bytes_max) return Error{Errc::too_large, "the mail alone is larger than the outbox may be"};
  if (!is_full(size, 1)) return Ok{};
  if (const Status counted = count(); !counted) return counted;
  if (const auto same = sizes_.find(name); same != sizes_.end()) {  // a repeat: it takes its own place
    bytes_ -= same->second;
    sizes_.erase(same);
  }
  std::size_t removed = 0;
  for (; is_full(size, 1) && !sizes_.empty(); ++removed) {
    const auto oldest = sizes_.begin();
    std::error_code failed;
    fs::remove(options_.directory / oldest->first, failed);
    if (failed) return Error{Errc::io, "can't make room in the outbox: " + failed.message()};
    bytes_ -= oldest->second;
    sizes_.erase(oldest);
  }
  if (removed > 0 && !std::exchange(has_said_full_, true)) {
    spdlog::warn("outbox_full directory={} files_max={} bytes_max={} rule=the_oldest_mails_are_removed",
                 options_.directory.string(), options_.files_max, options_.bytes_max);
  }
  return Ok{};
}

}  // namespace holdfast::mail
