/// The connections of a partition's users, and what each is to hear: the partition's side of chat/attachment.h.
///
/// Sans-IO, soft; owned by Partition. Thread: the partition's worker. A connection is live (it has everything up to the
/// head: what is added is sent at once), or it is reading (a page of the inbox is wanted or on its way), or behind (no
/// credit: nothing is sent until there is some).
/// Bound: what is on its way to a connection never exceeds its credit by more than one item. Credit counts the bytes of
/// DeliverInbox frames, exactly, since it comes back as such; DeliverFrame is soft and left out where there is none.
///
/// Invariant: items go to a connection in the order of their positions, each once, without leaving one out.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "server/chat/attachment.h"
#include "server/chat/view.h"
#include "storage/database.h"

namespace holdfast {

class Attached {
 public:
  struct Timing {
    std::chrono::milliseconds offline_debounce{5'000};  ///< presence: gone for this long before it is said
    std::chrono::minutes watch_for{5};
  };
  explicit Attached(Timing timing) : timing_(timing) {}

  /// `head`: the newest position of the user's inbox.
  void attach(const chat::Attach& attach, std::uint64_t head);
  void detach(const UserId& user, chat::ConnectionRef connection, SteadyTime now);
  /// All connections of that node, which can't be reached.
  void detach_node(NodeId node, SteadyTime now);
  void give_credit(chat::ConnectionRef connection, std::uint64_t bytes);
  void watch(chat::ConnectionRef watcher, const std::vector<UserId>& users, SteadyTime now);

  void inbox_added(const chat::InboxAdded& added);
  /// The session's connections are told and closed; returns them.
  std::vector<chat::ConnectionRef> session_gone(const chat::SessionGone& gone);
  void tell(const chat::TellUsers& tell);
  void tell_all(const v1::ServerFrame& frame);
  void tick(SteadyTime now);

  /// A stretch of an inbox that a connection needs.
  struct Page {
    chat::ConnectionRef connection;
    UserId user;
    std::uint64_t after;
    std::uint64_t head;  ///< of the inbox when the page was asked for
    std::size_t bytes_max;
  };
  std::vector<Page> take_pages();
  static constexpr std::size_t kPageRows = 512;
  /// What a page brought: rows of the inbox after `page.after`, in order, and all heads of the user.
  void read(const Page& page, const std::vector<Row>& inbox, const std::vector<Row>& heads);

  std::vector<chat::Delivery> take_deliveries();

  bool is_attached(chat::ConnectionRef connection) const { return connections_.contains(connection); }
  std::size_t size() const { return connections_.size(); }

 private:
  enum class Mode : std::uint8_t { live, page_wanted, reading, behind };
  struct Connection {
    UserId user;
    SessionId session;
    std::uint64_t sent;   ///< position
    std::int64_t credit;  ///< bytes
    Mode mode;
    std::string items;  ///< of the InboxPush under construction
  };
  struct User {
    std::vector<chat::ConnectionRef> connections;
    std::uint64_t head = 0;  ///< the newest position that we know of
  };
  struct Watcher {
    chat::ConnectionRef connection;
    SteadyTime until;
  };
  struct Presence {
    std::vector<Watcher> watchers;
    bool announced = false;
  };

  void want_page(const chat::ConnectionRef& ref, Connection& connection);
  void append(const chat::ConnectionRef& ref, Connection& connection, std::uint64_t position, std::string_view item);
  /// What has come together for a connection becomes a delivery.
  void push_items(const chat::ConnectionRef& ref, Connection& connection);
  void announce(const UserId& user, Presence& presence, bool online);

  const Timing timing_;
  std::map<chat::ConnectionRef, Connection> connections_;
  std::unordered_map<UserId, User> users_;
  std::unordered_map<UserId, Presence> watched_;
  std::unordered_map<UserId, SteadyTime> leaving_;  ///< offline since, not announced yet

  std::vector<chat::ConnectionRef> pages_wanted_;
  std::vector<chat::ConnectionRef> with_items_;
  std::vector<chat::Delivery> deliveries_;
};

}  // namespace holdfast
