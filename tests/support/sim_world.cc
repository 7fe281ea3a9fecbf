#include "tests/support/sim_world.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/hash.h"
#include "proto/state.pb.h"
#include "storage/keys.h"
#include "storage/log_store.h"
#include "storage/state_batch.h"

namespace holdfast {
namespace {

constexpr int kIdleTicksMax = 2'000;
constexpr std::uint64_t kStepsMax = 500'000;
constexpr std::chrono::milliseconds kIdleTick{100};
const Range kEverything{.from = {}, .until = {}, .limit = SIZE_MAX, .bytes_max = SIZE_MAX};

}  // namespace

SimWorld::SimWorld(OneThreadOptions options) : node_(std::move(options)) {
  HF_CHECK(node_.start(), "a fresh node starts");
}

SimWorld::~SimWorld() {
  for (const auto& client : clients_) client->lost_connection();
}

SimClient& SimWorld::add_client(SimClient::Options options) {
  return *clients_.emplace_back(std::make_unique<SimClient>(node_, history_, std::move(options)));
}

bool SimWorld::step() {
  if (node_.is_dead()) restart();
  for (const auto& client : clients_) client->pump();
  return node_.step() || node_.is_dead();
}

void SimWorld::restart() {
  for (const auto& client : clients_) client->lost_connection();
  ++deaths_;
  node_.crash();
  if (on_restart_) on_restart_();
  for (int tries = 0;; ++tries) {
    const Status started = node_.start();
    if (started) return;
    HF_CHECK(node_.is_dead() && tries < 10, started.error().message.c_str());
    ++deaths_;
    node_.crash();
  }
}

void SimWorld::kill() {
  if (!node_.is_dead()) restart();
}

void SimWorld::run_until(const std::function<bool()>& done) {
  int idle = 0;
  for (std::uint64_t steps = 0; !done(); ++steps) {
    HF_CHECK(steps < kStepsMax, "what is waited for happens");
    if (step()) {
      idle = 0;
      continue;
    }
    HF_CHECK(++idle < kIdleTicksMax, "what is waited for happens");
    node_.advance(kIdleTick);
  }
}

void SimWorld::settle() {
  for (int ticks = 0; ticks < 3; ++ticks) {
    run_until([this] { return std::ranges::all_of(clients_, [](const auto& c) { return c->is_idle(); }); });
    while (step()) {
    }
    node_.advance(kIdleTick);  // what was held back goes on at a tick
  }
  while (step()) {
  }
}

v1::ServerFrame SimWorld::ask(SimClient& client, v1::ClientFrame frame) {
  const std::size_t request = client.ask(std::move(frame));
  run_until([&] { return client.answer(request) || client.ended(); });
  return client.answer(request) ? *client.answer(request) : v1::ServerFrame();
}

// ------------------------------------------------------------------------------------------------ judging

std::vector<std::string> SimWorld::verdict() {
  node_.limit().clear();
  settle();
  node_.apply_all();
  collect();
  std::vector<std::string> found = check_history(history_);
  check_state(found);
  check_members(found);
  for (std::uint16_t p = 0; p < node_.options().partitions; ++p)
    if (!node_.copy(p).idle()) found.push_back("partition " + std::to_string(p) + " is not done");
  return found;
}

/// What the log says happened, from its first entry on.
void SimWorld::collect() {
  // One whose refusal was never heard, because the connection was gone, was put off all the same.
  for (History::Post& post : history_.posts) post.put_off |= post.resent && node_.refused_posts() > 0;
  history_.inboxes.clear();
  history_.conversations.clear();
  for (std::uint16_t p = 0; p < node_.options().partitions; ++p)
    for (const log::Entry& entry : node_.archive(p)) collect_entry(entry);
  // Users that are no more have no inbox to be checked, and no membership.
  std::set<UserId> standing;
  for (const auto& [user, rows] : history_.inboxes) standing.insert(user);
  for (auto& [id, conversation] : history_.conversations)
    std::erase_if(conversation.members, [&](const auto& member) { return !standing.contains(member.first); });
}

void SimWorld::collect_entry(const log::Entry& entry) {
  for (const log::Event& event : entry.events()) {
    if (!event.has_change_made()) continue;
    const log::ChangeMade& made = event.change_made();
    auto& conversation = history_.conversations[*ConversationId::from_bytes(made.conversation())];
    v1::Change& change = conversation.changes.emplace_back();
    HF_CHECK(change.ParseFromString(entry.writes(static_cast<int>(made.write_index())).put()), "a change parses");
    const auto join = [&](const std::string& user) {
      conversation.members[*UserId::from_bytes(user)].push_back({change.number(), 0});
    };
    // By what was said, not by the rows that the rules keep of it: who leaves hears of that as the last.
    for (const auto& user : change.created().members()) join(user);
    for (const auto& user : change.members_added().members()) join(user);
    if (change.has_member_left())
      conversation.members[*UserId::from_bytes(change.member_left().user_id())].back().left = change.number() + 1;
  }
  for (const log::Write& write : entry.writes()) {
    if (write.has_remove_until()) continue;  // acknowledged rows, and those of an account that goes
    const auto key = keys::decode(write.key());
    HF_CHECK(key, "written keys are of the grammar");
    if (key->family == keys::Family::mailbox) {
      const UserId user = *UserId::from_bytes(key->first);
      if (write.has_put())
        history_.inboxes[user];
      else
        history_.inboxes.erase(user);
    } else if ((key->family == keys::Family::inbox || key->family == keys::Family::head) && write.has_put()) {
      v1::InboxItem item;
      HF_CHECK(item.ParseFromString(write.put()), "an inbox row parses");
      History::InboxRow row;
      row.head = key->family == keys::Family::head;
      row.position = row.head ? item.position() : key->number;
      row.conversation = *ConversationId::from_bytes(item.conversation_id());
      row.number = row.head ? item.head() : item.has_change() ? item.change().number() : item.reference();
      history_.inboxes[*UserId::from_bytes(key->first)].push_back(std::move(row));
    }
  }
}

/// Nobody is in a conversation whose account is no more.
void SimWorld::check_members(std::vector<std::string>& found) {
  const std::uint16_t partitions = node_.options().partitions;
  const auto exists = [&](const std::string& bytes) {
    const UserId user = *UserId::from_bytes(bytes);
    const auto row = node_.state_database().get(keys::stored(partition_of(user, partitions), keys::account(user)));
    return row && *row;
  };
  const auto rows = node_.state_database().scan(kEverything);
  for (const Row& row : *rows) {
    const auto key = keys::decode(keys::split(row.key)->key);
    if (key->family == keys::Family::member) {
      state::MemberRow member;
      HF_CHECK(member.ParseFromString(row.value), "a member row parses");
      const bool present = !member.intervals().empty() && member.intervals().rbegin()->left() == 0;
      if (present && !exists(std::string(key->second))) found.push_back("a group has a member without an account");
    } else if (key->family == keys::Family::conversation) {
      state::Conversation conversation;
      HF_CHECK(conversation.ParseFromString(row.value), "a conversation parses");
      for (const auto& peer : conversation.peers())
        if (!peer.deleted() && !exists(peer.user()))
          found.push_back("a direct conversation has a peer without account");
    }
  }
}

/// The state is what the log says, and the log holds together.
void SimWorld::check_state(std::vector<std::string>& found) {
  MemoryDatabase from_log;
  LogStore log(node_.log_database());
  StateBatch batch;
  for (std::uint16_t p = 0; p < node_.options().partitions; ++p) {
    for (const log::Entry& entry : node_.archive(p)) {
      batch.add(PartitionId(p), entry);
      HF_CHECK(from_log.write(batch.finish(), Durability::written), "memory can be written");
      batch.clear();
    }
    const auto bounds = log.bounds(PartitionId(p));
    HF_CHECK(bounds, "the log has bounds");
    if (bounds->second.value != node_.archive(p).size())
      found.push_back("I4: the log of partition " + std::to_string(p) + " ends elsewhere than it once did");
    for (Seq at = bounds->first; at <= bounds->second;) {
      const auto read = log.read(PartitionId(p), at, SIZE_MAX);
      if (!read) {
        found.push_back("I3: " + read.error().message);
        break;
      }
      at = Seq(at.value + read->size());
    }
  }
  const auto expected = from_log.scan(kEverything);
  const auto there = node_.state_database().scan(kEverything);
  HF_CHECK(expected && there, "memory can be read");
  std::map<std::string, std::string> rest;
  for (const Row& row : *there) rest.emplace(row.key, row.value);
  for (const Row& row : *expected) {
    const auto at = rest.find(row.key);
    if (at == rest.end())
      found.push_back("state: row " + to_hex(row.key) + " is missing");
    else if (at->second != row.value)
      found.push_back("state: row " + to_hex(row.key) + " is not as the log says");
    if (at != rest.end()) rest.erase(at);
  }
  for (const auto& [key, value] : rest) found.push_back("state: row " + to_hex(key) + " should not be there");
}

}  // namespace holdfast
