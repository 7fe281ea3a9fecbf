#include "server/gateway/native_connection.h"

namespace holdfast::gateway {
namespace {

using State = IoResult::State;

constexpr int kRoundsMax = 4;  ///< reads in a row, before others have their turn
constexpr std::chrono::seconds kLingerMax{2};

}  // namespace

NativeConnection::NativeConnection(ConnectionOwner& owner, SessionParts parts, chat::ConnectionRef self,
                                   std::string peer_address, Admission::Place place, SteadyTime accepted,
                                   std::unique_ptr<Stream> stream)
    : Connection(owner, parts, self, std::move(peer_address), std::move(place), accepted),
      stream_(std::move(stream)),
      decoder_(parts.options.frame_bytes_max) {}

// ------------------------------------------------------------------------------------------------ reading

void NativeConnection::wait_readable() {
  if (reading_ || is_closed()) return;
  reading_ = true;
  ++waits_;
  stream_->on_readable([this](error_code error) {
    --waits_;
    reading_ = false;
    if (is_closed()) return;
    if (error) return close();
    if (write_wants_read_) flush();
    if (!is_closed()) read();
  });
}

void NativeConnection::read() {
  if (paused_ || read_wants_write_) return;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto buffer = owner_.read_buffer();
    const auto result = stream_->read_now(buffer);
    if (result.state == State::would_block_read) break;
    if (result.state == State::would_block_write) {
      read_wants_write_ = true;
      return wait_writable();
    }
    if (!result.ok()) return close();
    if (!take({buffer.data(), result.bytes})) return;
    if (!stream_->is_tls() && result.bytes < buffer.size()) break;  // that was all: spare the read that says so
  }
  wait_readable();
}

bool NativeConnection::take(std::string_view bytes) {
  owner_.wire().bytes_in += bytes.size();
  if (lingers_until_) return true;
  session().on_bytes(owner_.now());
  feed(bytes);
  owner_.mark_dirty(*this);
  if (is_closed() || session().is_over()) return false;
  if (bytes.empty() && session().can_take(owner_.now())) return true;
  pause(bytes);
  return false;
}

void NativeConnection::feed(std::string_view& bytes) {
  feeding_ = true;
  const auto now = owner_.now();
  while (!is_closed() && session().can_take(now)) {
    const auto next = decoder_.next(bytes);
    if (!next) {
      session().on_broken_framing(next.error());
      break;
    }
    if (!*next) break;
    session().on_frame(**next, now);
  }
  feeding_ = false;
}

void NativeConnection::pause(std::string_view rest) {
  paused_ = true;
  unfed_ = rest;
  unfed_from_ = 0;
  owner_.mark_paused(*this);
}

void NativeConnection::resume() {
  if (!paused_ || feeding_ || is_closed() || !session().can_take(owner_.now())) return;
  std::string_view rest = std::string_view(unfed_).substr(unfed_from_);
  feed(rest);
  owner_.mark_dirty(*this);
  if (is_closed() || session().is_over()) return;
  unfed_from_ = unfed_.size() - rest.size();
  if (!rest.empty() || !session().can_take(owner_.now())) return;
  unfed_ = std::string();
  unfed_from_ = 0;
  paused_ = false;
  wait_readable();
}

// ------------------------------------------------------------------------------------------------ writing

void NativeConnection::wait_writable() {
  if (writing_ || is_closed()) return;
  writing_ = true;
  ++waits_;
  stream_->on_writable([this](error_code error) {
    --waits_;
    writing_ = false;
    if (is_closed()) return;
    if (error) return close();
    flush();
    if (is_closed() || !read_wants_write_) return;
    read_wants_write_ = false;
    read();
  });
}

void NativeConnection::flush() {
  if (is_closed() || lingers_until_) return;
  auto& outbox = session().outbox();
  write_wants_read_ = false;
  while (!outbox.empty()) {
    const auto result = stream_->write_now(outbox.bytes());
    ++owner_.wire().writes;
    if (result.ok()) {
      outbox.took(result.bytes);
      owner_.wire().bytes_out += result.bytes;
      stalled_at_.reset();
      continue;
    }
    if (!result.would_block()) return close();
    if (!stalled_at_) stalled_at_ = owner_.now();
    write_wants_read_ = result.state == State::would_block_read;
    session().settle_credit();
    write_wants_read_ ? wait_readable() : wait_writable();
    return resume();
  }
  stalled_at_.reset();
  session().settle_credit();
  session().is_over() ? linger() : resume();
}

void NativeConnection::linger() {
  stream_->shutdown();
  lingers_until_ = owner_.now() + kLingerMax;
  paused_ = false;
  unfed_ = std::string();
  wait_readable();
}

void NativeConnection::on_tick(SteadyTime now) {
  if (has_stalled(now) || (lingers_until_ && now >= *lingers_until_)) return close();
  session().tick(now);
  session().outbox().release_memory();
  if (session().is_over() || !session().outbox().empty()) owner_.mark_dirty(*this);
  resume();
}

}  // namespace holdfast::gateway
