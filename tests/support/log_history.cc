#include "tests/support/log_history.h"

#include <set>

#include "base/check.h"
#include "base/hash.h"
#include "proto/state.pb.h"
#include "storage/keys.h"
#include "storage/log_store.h"
#include "storage/memory_database.h"
#include "storage/state_batch.h"

namespace holdfast {
namespace {

const Range kEverything{.from = {}, .until = {}, .limit = SIZE_MAX, .bytes_max = SIZE_MAX};

void collect_entry(const log::Entry& entry, History& history) {
  for (const log::Event& event : entry.events()) {
    if (!event.has_change_made()) continue;
    const log::ChangeMade& made = event.change_made();
    auto& conversation = history.conversations[*ConversationId::from_bytes(made.conversation())];
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
        history.inboxes[user];
      else
        history.inboxes.erase(user);
    } else if ((key->family == keys::Family::inbox || key->family == keys::Family::head) && write.has_put()) {
      v1::InboxItem item;
      HF_CHECK(item.ParseFromString(write.put()), "an inbox row parses");
      History::InboxRow row;
      row.head = key->family == keys::Family::head;
      row.position = row.head ? item.position() : key->number;
      row.conversation = *ConversationId::from_bytes(item.conversation_id());
      row.number = row.head ? item.head() : item.has_change() ? item.change().number() : item.reference();
      history.inboxes[*UserId::from_bytes(key->first)].push_back(std::move(row));
    }
  }
}

}  // namespace

void collect(const Archive& archive, History& history) {
  history.inboxes.clear();
  history.conversations.clear();
  for (const auto& entries : archive)
    for (const log::Entry& entry : entries) collect_entry(entry, history);
  // Users that are no more have no inbox to be checked, and no membership.
  std::set<UserId> standing;
  for (const auto& [user, rows] : history.inboxes) standing.insert(user);
  for (auto& [id, conversation] : history.conversations)
    std::erase_if(conversation.members, [&](const auto& member) { return !standing.contains(member.first); });
}

/// Nobody is in a conversation whose account is no more.
void check_members(const Database& state, std::uint16_t partitions, std::vector<std::string>& found) {
  const auto exists = [&](const std::string& bytes) {
    const UserId user = *UserId::from_bytes(bytes);
    const auto row = state.get(keys::stored(partition_of(user, partitions), keys::account(user)));
    return row && *row;
  };
  const auto rows = state.scan(kEverything);
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
void check_state(const Archive& archive, Database& log_database, const Database& state,
                 std::vector<std::string>& found) {
  MemoryDatabase from_log;
  LogStore log(log_database);
  StateBatch batch;
  for (std::uint16_t p = 0; p < archive.size(); ++p) {
    if (archive[p].empty()) continue;
    for (const log::Entry& entry : archive[p]) {
      batch.add(PartitionId(p), entry);
      HF_CHECK(from_log.write(batch.finish(), Durability::written), "memory can be written");
      batch.clear();
    }
    const auto bounds = log.bounds(PartitionId(p));
    HF_CHECK(bounds, "the log has bounds");
    if (bounds->second.value != archive[p].size())
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
  const auto there = state.scan(kEverything);
  HF_CHECK(expected && there, "memory can be read");
  std::map<std::string, std::string> rest;
  for (const Row& row : *there)
    if (!archive[keys::split(row.key)->partition.value].empty()) rest.emplace(row.key, row.value);
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
