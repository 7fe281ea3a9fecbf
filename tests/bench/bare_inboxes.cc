#include "tests/bench/bare_inboxes.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>

#include "proto/frame.h"
#include "storage/keys.h"
#include "storage/rocksdb_database.h"
#include "tests/bench/child.h"
#include "tests/bench/measuring.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kAtOnce = 256u << 10;  ///< of rows, for one connection, before others have their turn

/// One reader: how far its rows are read, and what its socket has not taken yet.
struct Reader {
  int socket = -1;
  Range range;
  std::string out;
  std::size_t written = 0;
  bool read_all = false;
};

class Inboxes {
 public:
  Inboxes(const Database& state, std::uint16_t partitions) : state_(state), partitions_(partitions) {}

  /// False: it is over.
  bool go_on(Reader& reader) {
    if (reader.range.from.empty()) {
      std::array<char, 16> user;
      const ssize_t got = ::read(reader.socket, user.data(), user.size());
      if (got < 0 && errno == EAGAIN) return true;
      if (got != static_cast<ssize_t>(user.size())) return false;
      begin(reader, *UserId::from_bytes({user.data(), user.size()}));
    }
    while (true) {
      while (reader.written < reader.out.size()) {
        const ssize_t sent =
            ::send(reader.socket, reader.out.data() + reader.written, reader.out.size() - reader.written, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN;
        reader.written += static_cast<std::size_t>(sent);
      }
      if (reader.read_all) return true;
      fill(reader);
    }
  }

 private:
  void begin(Reader& reader, const UserId& user) const {
    const PartitionId partition = partition_of(user, partitions_);
    reader.range.from = keys::stored(partition, keys::inbox(user, 1));
    reader.range.until = keys::stored(partition, keys::inbox(user, UINT64_MAX));
    reader.range.bytes_max = kAtOnce;
    reader.range.limit = SIZE_MAX;
  }

  void fill(Reader& reader) const {
    reader.out.clear();
    reader.written = 0;
    const auto rows = state_.scan(reader.range);
    if (!rows) give_up(rows.error().message);
    for (const Row& row : *rows) append_frame(reader.out, row.value);
    reader.read_all = rows->empty();
    if (reader.read_all)
      append_frame(reader.out, ".");
    else
      reader.range.from = rows->back().key + '\0';
  }

  const Database& state_;
  const std::uint16_t partitions_;
};

}  // namespace

int serve_inboxes(std::uint16_t port, const std::filesystem::path& data, std::uint16_t partitions) {
  RocksOptions options;
  options.path = (data / "state").string();
  const auto state = open_rocksdb(options);
  if (!state) give_up(state.error().message);
  const int listener = listen_on(port);
  Inboxes inboxes(**state, partitions);
  std::map<int, Reader> readers;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [&](int socket, std::uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.fd = socket;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
  };
  watch(listener, EPOLLIN);
  std::array<epoll_event, 256> events;
  while (true) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        for (int accepted; (accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
          readers[accepted].socket = accepted;
          watch(accepted, EPOLLIN | EPOLLOUT | EPOLLET);
        }
      } else if (!inboxes.go_on(readers[socket])) {
        readers.erase(socket);
        ::close(socket);
      }
    }
  }
}

}  // namespace holdfast::bench
