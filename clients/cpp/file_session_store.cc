#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/hash.h"
#include "clients/cpp/session_store.h"
#include "proto/client.pb.h"
#include "proto/frame.h"

namespace holdfast::client {

namespace {

namespace fs = std::filesystem;

Error io_error(const std::string& what, const std::string& path) {
  return {Errc::io, what + " " + path + ": " + std::strerror(errno)};
}

std::string encode(const SavedSession& session) {
  v1::SessionReply head;
  head.set_user_id(session.user_id);
  head.set_session_id(session.session_id);
  head.set_token(session.token);
  head.set_cursor(session.cursor);
  head.set_username(session.username);
  head.set_generation(session.generation);
  for (const auto& address : session.endpoints) head.add_endpoints()->set_address(address);
  std::string body;
  append_frame(body, head);
  for (const auto& post : session.outbox) append_frame(body, post);
  const Hash32 check = blake2b_256({body});
  return std::string(as_bytes(check)) + body;
}

std::optional<SavedSession> decode(std::string_view bytes) {
  constexpr std::size_t kCheckBytes = 32;
  if (bytes.size() < kCheckBytes) return std::nullopt;
  std::string_view body = bytes.substr(kCheckBytes);
  if (as_bytes(blake2b_256({body})) != bytes.substr(0, kCheckBytes)) return std::nullopt;

  FrameDecoder decoder;
  auto first = decoder.next(body);
  v1::SessionReply head;
  if (!first || !*first || !head.ParseFromArray((*first)->data(), static_cast<int>((*first)->size())))
    return std::nullopt;
  SavedSession session{head.username(),  head.user_id(), head.session_id(), head.token(), head.cursor(), {}, {},
                       head.generation()};
  for (const auto& one : head.endpoints()) session.endpoints.push_back(one.address());
  while (true) {
    auto post = decoder.next(body);
    if (!post) return std::nullopt;
    if (!*post) return session;
    session.outbox.emplace_back(**post);
  }
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t moved = ::write(file, bytes.data(), bytes.size());
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(moved));
  }
  return true;
}

Status write_synced(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return io_error("cannot write", path);
  const bool good = write_all(file, bytes) && ::fsync(file) == 0;
  const int saved_errno = errno;
  ::close(file);
  errno = saved_errno;
  if (!good) return io_error("cannot write", path);
  return Ok{};
}

/// A rename is durable once its directory is.
Status sync_directory_of(const std::string& path) {
  const std::string directory = fs::path(path).parent_path().string();
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return io_error("cannot open", directory);
  const bool good = ::fsync(file) == 0;
  ::close(file);
  if (!good) return io_error("cannot sync", directory);
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<FileSessionStore>> FileSessionStore::open(std::string path) {
  const fs::path absolute = fs::absolute(path);
  std::error_code error;
  fs::create_directories(absolute.parent_path(), error);
  if (error) return Error{Errc::io, "cannot make " + absolute.parent_path().string() + ": " + error.message()};

  const std::string lock_path = absolute.string() + ".lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return io_error("cannot open", lock_path);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return Error{Errc::in_use, "another process uses the session in " + absolute.string()};
  }
  return std::unique_ptr<FileSessionStore>(new FileSessionStore(absolute.string(), lock));
}

FileSessionStore::~FileSessionStore() { ::close(lock_); }

Result<std::optional<SavedSession>> FileSessionStore::load() {
  std::error_code error;
  if (!fs::exists(path_, error)) return std::optional<SavedSession>();
  std::ifstream file(path_, std::ios::binary);
  if (!file) return io_error("cannot read", path_);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto session = decode(bytes);
  if (!session) return Error{Errc::corrupt, path_ + " is damaged: remove it and log in again"};
  return session;
}

Status FileSessionStore::save(const SavedSession& session) {
  const std::string beside = path_ + ".new";
  auto written = write_synced(beside, encode(session));
  if (!written) return written;
  if (::rename(beside.c_str(), path_.c_str()) != 0) return io_error("cannot replace", path_);
  return sync_directory_of(path_);
}

Status FileSessionStore::clear() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return io_error("cannot remove", path_);
  return sync_directory_of(path_);
}

}  // namespace holdfast::client
