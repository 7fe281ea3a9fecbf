/// A stream of messages both ways with one member of etcd, read with a time-out.
///
/// Owned and used by one thread, but for cancel(). gRPC's blocking streams can't give up waiting, so this is its
/// asynchronous kind with a completion queue of its own.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "failover/io/etcd_client.h"

namespace holdfast::failover {

template <class Request, class Response>
class EtcdStream {
 public:
  using Wire = grpc::ClientAsyncReaderWriter<Request, Response>;
  enum class Next : std::uint8_t { message, nothing, ended };

  EtcdStream() = default;
  EtcdStream(const EtcdStream&) = delete;
  EtcdStream& operator=(const EtcdStream&) = delete;
  ~EtcdStream() { close(); }

  grpc::ClientContext& context() { return context_; }
  grpc::CompletionQueue& queue() { return queue_; }
  /// Any thread, while the stream exists: what waits returns `ended`.
  void cancel() { context_.TryCancel(); }

  /// Once; `wire` was made with context() and queue(). False: it could not be started until then.
  bool start(std::unique_ptr<Wire> wire, Deadline deadline) {
    wire_ = std::move(wire);
    wire_->StartCall(tag(Tag::start));
    under_way_ = bit(Tag::start);
    while ((under_way_ & bit(Tag::start)) != 0 && !ended_) {
      if (!take_event(deadline)) return false;
    }
    return !ended_;
  }

  /// False: the last one is still being sent, this one is not.
  bool send(const Request& request) {
    if (ended_ || (under_way_ & bit(Tag::write)) != 0) return false;
    wire_->Write(request, tag(Tag::write));
    under_way_ |= bit(Tag::write);
    return true;
  }

  Next next(Response& response, Deadline deadline) {
    while (true) {
      if (ended_) return Next::ended;
      if (arrived_) {
        arrived_ = false;
        response.Swap(&incoming_);
        return Next::message;
      }
      if ((under_way_ & bit(Tag::read)) == 0) {
        wire_->Read(&incoming_, tag(Tag::read));
        under_way_ |= bit(Tag::read);
      }
      if (!take_event(deadline)) return Next::nothing;
    }
  }

  /// Ends it, and says why it had ended, if it had.
  grpc::Status close() {
    if (closed_) return status_;
    closed_ = true;
    if (wire_) {
      // A stream that ended by itself still tells its reason.
      if (!ended_) context_.TryCancel();
      while (under_way_ != 0) take_event(Deadline::max());
      wire_->Finish(&status_, tag(Tag::finish));
      under_way_ = bit(Tag::finish);
      while (under_way_ != 0) take_event(Deadline::max());
    }
    queue_.Shutdown();
    void* which = nullptr;
    bool ok = false;
    while (queue_.Next(&which, &ok)) {
    }
    return status_;
  }

 private:
  enum class Tag : std::uintptr_t { start = 1, read = 2, write = 3, finish = 4 };
  static void* tag(Tag which) { return reinterpret_cast<void*>(which); }
  static unsigned bit(Tag which) { return 1U << static_cast<unsigned>(which); }

  /// False: nothing happened until then.
  bool take_event(Deadline deadline) {
    void* which = nullptr;
    bool ok = false;
    if (deadline == Deadline::max()) {
      queue_.Next(&which, &ok);
    } else if (queue_.AsyncNext(&which, &ok, to_grpc(deadline)) != grpc::CompletionQueue::GOT_EVENT) {
      return false;
    }
    const auto event = static_cast<Tag>(reinterpret_cast<std::uintptr_t>(which));
    under_way_ &= ~bit(event);
    if (!ok) ended_ = true;
    if (ok && event == Tag::read) arrived_ = true;
    return true;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<Wire> wire_;
  Response incoming_;
  grpc::Status status_;
  unsigned under_way_ = 0;  ///< bits of the operations whose events are yet to come
  bool arrived_ = false;    ///< incoming_ is a message
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace holdfast::failover
