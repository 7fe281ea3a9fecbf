/// Where mails go while no relay is configured: files that a mail program opens.
///
///   <directory>/<date of the mail>-<beginning of its Message-ID>.eml      20261129T093551.123Z-0011223344556677.eml
///
/// A mail is there whole or not at all; the same mail again has the same name, so a repeat is no second file. Files are
/// for their owner only: they hold links that log in.
///
/// Full rule: with more than files_max files or bytes_max bytes the oldest mails (by name, so by date) are removed until
/// the new one fits, and the log says so once. Newest first matters: it is the link just asked for that is looked for.
///
/// Blocking; any thread, one mail at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "base/result.h"
#include "server/mail/mail.h"

namespace holdfast::mail {

struct OutboxOptions {
  std::filesystem::path directory;
  std::size_t files_max = 10'000;
  std::uint64_t bytes_max = 256 << 20;
};

class Outbox {
 public:
  /// Makes the directory and counts what is in it.
  static Result<std::unique_ptr<Outbox>> open(OutboxOptions options);

  /// The file's name. too_large: the mail alone is larger than bytes_max.
  Result<std::filesystem::path> write(const Mail& mail);

 private:
  explicit Outbox(OutboxOptions options) : options_(std::move(options)) {}
  Status count();
  bool is_full(std::uint64_t more_bytes, std::size_t more_files) const;
  Status make_room(const std::string& name, std::uint64_t size);

  const OutboxOptions options_;
  std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, std::uint64_t> sizes_;  ///< of the files, oldest first
  std::uint64_t bytes_ = 0;
  bool has_said_full_ = false;
};

}  // namespace holdfast::mail
