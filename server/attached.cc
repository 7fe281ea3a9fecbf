#include "server/attached.h"

#include <algorithm>

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  while (value >>= 7) ++bytes;
  return bytes;
}

constexpr char kPositionTag = 1 << 3;             // InboxItem.position: varint
constexpr char kItemsTag = 1 << 3 | 2;            // InboxPush.items: length-delimited
constexpr std::uint64_t kInboxTag = 40 << 3 | 2;  // ServerFrame.inbox: length-delimited

/// Of items in one InboxPush: well within a frame, with one more item of up to a kilobyte.
constexpr std::size_t kPushBytesMax = 64 << 10;

/// A page is cut by bytes as the database counts them, with its own prefix of each key. To take a whole page for one
/// that was cut costs another look; the other way round would leave out what lies behind it.
constexpr std::size_t kRowBytesBesides = 16;

/// Appends one InboxPush.items: a stored item is everything but its position, and fields may come in any order.
void append_item(std::string& out, std::uint64_t position, std::string_view item) {
  out.push_back(kItemsTag);
  append_varint(out, 1 + varint_bytes(position) + item.size());
  out.push_back(kPositionTag);
  append_varint(out, position);
  out.append(item);
}

std::string inbox_frame(std::string_view items) {
  std::string frame;
  frame.reserve(items.size() + 8);
  append_varint(frame, kInboxTag);
  append_varint(frame, items.size());
  frame.append(items);
  return frame;
}

}  // namespace

void Attached::attach(const chat::Attach& attach, std::uint64_t head) {
  User& user = users_[attach.user];
  user.head = std::max(user.head, head);
  const auto [at, fresh] = connections_.emplace(
      attach.connection,
      Connection{
          attach.user, attach.session, attach.after, static_cast<std::int64_t>(attach.credit_bytes), Mode::live, {}});
  if (!fresh) return;  // attached already: its own credit and position stand
  user.connections.push_back(attach.connection);
  if (head != attach.after) want_page(at->first, at->second);
  leaving_.erase(attach.user);
  if (const auto watched = watched_.find(attach.user); watched != watched_.end())
    announce(attach.user, watched->second, true);
}

void Attached::detach(const UserId& user, chat::ConnectionRef connection, SteadyTime now) {
  if (connections_.erase(connection) == 0) return;
  const auto at = users_.find(user);
  HF_CHECK(at != users_.end(), "an attached connection's user is known");
  std::erase(at->second.connections, connection);
  if (!at->second.connections.empty()) return;
  users_.erase(at);
  if (watched_.contains(user)) leaving_.emplace(user, now);
}

void Attached::detach_node(NodeId node, SteadyTime now) {
  std::vector<std::pair<UserId, chat::ConnectionRef>> theirs;
  for (const auto& [ref, connection] : connections_)
    if (ref.node == node) theirs.emplace_back(connection.user, ref);
  for (const auto& [user, ref] : theirs) detach(user, ref, now);
}

void Attached::give_credit(chat::ConnectionRef ref, std::uint64_t bytes) {
  const auto at = connections_.find(ref);
  if (at == connections_.end()) return;
  at->second.credit += static_cast<std::int64_t>(bytes);
  if (at->second.mode == Mode::behind && at->second.credit > 0) want_page(ref, at->second);
}

void Attached::want_page(const chat::ConnectionRef& ref, Connection& connection) {
  if (connection.credit <= 0) {
    connection.mode = Mode::behind;
    return;
  }
  connection.mode = Mode::page_wanted;
  pages_wanted_.push_back(ref);
}

void Attached::append(const chat::ConnectionRef& ref, Connection& connection, std::uint64_t position,
                      std::string_view item) {
  HF_CHECK(position > connection.sent, "positions rise");
  if (connection.items.size() + item.size() > kPushBytesMax) push_items(ref, connection);
  if (connection.items.empty()) with_items_.push_back(ref);
  const std::size_t before = connection.items.size();
  append_item(connection.items, position, item);
  connection.credit -= static_cast<std::int64_t>(connection.items.size() - before);
  connection.sent = position;
}

void Attached::inbox_added(const chat::InboxAdded& added) {
  const auto user = users_.find(added.user);
  if (user == users_.end()) return;
  user->second.head = std::max(user->second.head, added.position);
  for (const auto& ref : user->second.connections) {
    Connection& connection = connections_.at(ref);
    if (connection.mode != Mode::live) continue;  // it will read this from the inbox
    if (added.position <= connection.sent) continue;
    if (connection.credit > 0)
      append(ref, connection, added.position, added.item);
    else
      connection.mode = Mode::behind;
  }
}

std::vector<Attached::Page> Attached::take_pages() {
  std::vector<Page> pages;
  for (const auto& ref : std::exchange(pages_wanted_, {})) {
    const auto at = connections_.find(ref);
    if (at == connections_.end() || at->second.mode != Mode::page_wanted) continue;
    at->second.mode = Mode::reading;
    pages.push_back({ref, at->second.user, at->second.sent, users_.at(at->second.user).head,
                     static_cast<std::size_t>(at->second.credit)});
  }
  return pages;
}

void Attached::read(const Page& page, const std::vector<Row>& inbox, const std::vector<Row>& heads) {
  const auto at = connections_.find(page.connection);
  if (at == connections_.end() || at->second.mode != Mode::reading) return;
  Connection& connection = at->second;

  std::map<std::uint64_t, std::string_view> items;
  for (const Row& row : inbox) {
    const auto key = keys::decode(row.key);
    HF_CHECK(key && key->family == keys::Family::inbox, "a page holds inbox rows");
    items.emplace(key->number, row.value);
  }
  // A page that is not the inbox's end holds heads only as far as itself: positions must not go back later. And the two
  // were read at two moments: only up to where the inbox ended when they were asked for are both sure to be whole.
  std::size_t page_bytes = 0;
  for (const Row& row : inbox) page_bytes += row.key.size() + row.value.size() + kRowBytesBesides;
  const bool whole = inbox.size() < kPageRows && page_bytes < page.bytes_max;
  const bool moved = users_.at(connection.user).head != page.head;
  std::uint64_t up_to = whole || items.empty() ? UINT64_MAX : items.rbegin()->first;
  if (moved) up_to = std::min(up_to, page.head);
  std::vector<v1::InboxItem> parsed(heads.size());
  std::vector<std::string> head_items(heads.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    HF_CHECK(parsed[i].ParseFromString(heads[i].value), "a stored row parses");
    if (parsed[i].position() <= page.after || parsed[i].position() > up_to) continue;
    const std::uint64_t position = parsed[i].position();
    parsed[i].clear_position();
    head_items[i] = parsed[i].SerializeAsString();
    items.emplace(position, head_items[i]);
  }
  bool all = true;
  for (const auto& [position, item] : items) {
    all = position <= up_to && connection.credit > 0;
    if (!all) break;
    append(page.connection, connection, position, item);
  }

  // What was added while the page was read is not in it, but then the head has moved.
  if (whole && all && !moved)
    connection.mode = Mode::live;
  else
    want_page(page.connection, connection);
}

std::vector<chat::ConnectionRef> Attached::session_gone(const chat::SessionGone& gone) {
  std::vector<chat::ConnectionRef> ended;
  const auto user = users_.find(gone.user);
  if (user == users_.end()) return ended;
  for (const auto& ref : user->second.connections) {
    if (connections_.at(ref).session != gone.session) continue;
    deliveries_.push_back(chat::EndConnection{ref, gone.code, gone.reason});
    ended.push_back(ref);
  }
  return ended;
}

void Attached::tell(const chat::TellUsers& tell) {
  std::string frame;
  for (const UserId& user : tell.users) {
    const auto at = users_.find(user);
    if (at == users_.end()) continue;
    if (frame.empty()) frame = tell.frame.SerializeAsString();
    for (const auto& ref : at->second.connections) {
      Connection& connection = connections_.at(ref);
      if (connection.credit <= 0) continue;  // soft: a slow reader does without
      deliveries_.push_back(chat::DeliverFrame{ref, frame});
    }
  }
}

void Attached::tell_all(const v1::ServerFrame& frame) {
  const std::string bytes = frame.SerializeAsString();
  for (const auto& [ref, connection] : connections_)
    if (connection.credit > 0) deliveries_.push_back(chat::DeliverFrame{ref, bytes});
}

void Attached::watch(chat::ConnectionRef watcher, const std::vector<UserId>& users, SteadyTime now) {
  for (const UserId& user : users) {
    const bool online = users_.contains(user) || leaving_.contains(user);
    Presence& presence = watched_[user];
    presence.announced = online;
    std::erase_if(presence.watchers, [&](const Watcher& w) { return w.connection == watcher; });
    presence.watchers.push_back({watcher, now + timing_.watch_for});
    v1::ServerFrame frame;
    frame.mutable_presence_changed()->mutable_user()->set_user_id(user.str());
    frame.mutable_presence_changed()->mutable_user()->set_online(online);
    deliveries_.push_back(chat::DeliverFrame{watcher, frame.SerializeAsString()});
  }
}

void Attached::announce(const UserId& user, Presence& presence, bool online) {
  if (presence.announced == online) return;
  presence.announced = online;
  v1::ServerFrame frame;
  frame.mutable_presence_changed()->mutable_user()->set_user_id(user.str());
  frame.mutable_presence_changed()->mutable_user()->set_online(online);
  const std::string bytes = frame.SerializeAsString();
  for (const Watcher& watcher : presence.watchers) deliveries_.push_back(chat::DeliverFrame{watcher.connection, bytes});
}

void Attached::tick(SteadyTime now) {
  std::erase_if(leaving_, [&](const auto& leaving) {
    if (now - leaving.second < timing_.offline_debounce) return false;
    if (const auto at = watched_.find(leaving.first); at != watched_.end()) announce(leaving.first, at->second, false);
    return true;
  });
  for (auto& [user, presence] : watched_)
    std::erase_if(presence.watchers, [&](const Watcher& w) { return w.until <= now; });
  std::erase_if(watched_, [](const auto& watched) { return watched.second.watchers.empty(); });
}

void Attached::push_items(const chat::ConnectionRef& ref, Connection& connection) {
  if (connection.items.empty()) return;
  std::string frame = inbox_frame(connection.items);
  connection.credit -= static_cast<std::int64_t>(frame.size() - connection.items.size());
  deliveries_.push_back(chat::DeliverInbox{ref, std::move(frame), connection.sent});
  connection.items.clear();
  connection.items.shrink_to_fit();
}

std::vector<chat::Delivery> Attached::take_deliveries() {
  for (const auto& ref : std::exchange(with_items_, {})) {
    const auto at = connections_.find(ref);
    if (at != connections_.end()) push_items(ref, at->second);
  }
  return std::exchange(deliveries_, {});
}

}  // namespace holdfast
