#include "server/services/delivery.h"

#include <map>

#include "base/check.h"
#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kWholeBytesOfAllMax = 256u << 10;  ///< of one change, in the inboxes of all members together

template <class IdType>
IdType id_of(std::string_view bytes) {
  const auto id = IdType::from_bytes(bytes);
  HF_CHECK(id, "ids in the log have 16 bytes");
  return *id;
}

bool covers(const state::MemberRow& member, std::uint64_t number) {
  for (const auto& interval : member.intervals())
    if (interval.joined() <= number && (interval.left() == 0 || number < interval.left())) return true;
  return false;
}

/// The users whose interval of membership in a group covers `number`.
std::vector<UserId> members_at(const ConversationId& conversation, std::uint64_t number, chat::View& view) {
  const std::string prefix = keys::prefix(keys::Family::member, conversation.bytes());
  const auto* rows =
      view.range({.from = prefix, .until = keys::after_prefix(prefix), .limit = SIZE_MAX, .bytes_max = SIZE_MAX});
  std::vector<UserId> users;
  if (!rows) return users;
  state::MemberRow member;  // kept from row to row for its memory
  for (const Row& row : *rows) {
    HF_CHECK(member.ParseFromString(row.value), "a stored row parses");
    if (covers(member, number)) users.push_back(id_of<UserId>(std::string_view(row.key).substr(prefix.size())));
  }
  return users;
}

std::vector<UserId> recipients(const log::ChangeMade& made, chat::View& view) {
  std::vector<UserId> users;
  for (const auto& user : made.recipients()) users.push_back(id_of<UserId>(user));
  return made.direct() ? users : members_at(id_of<ConversationId>(made.conversation()), made.number(), view);
}

/// What the lists of the members learn: titles, roles, who joined and who left.
void describe(const v1::Change& change, const log::ChangeMade& made, chat::View& view, command::ListUpdate& update) {
  const auto add = [&](const std::string& user, v1::Role role, const std::string& peer) {
    auto& added = *update.add_added();
    added.set_user(user);
    added.set_role(role);
    added.set_peer(peer);
  };
  const auto add_titled = [&] {  // who joins learns the title that the group has by now
    if (const auto row = view.get<state::Conversation>(keys::conversation(id_of<ConversationId>(made.conversation()))))
      update.set_title(row->title());
  };
  switch (change.what_case()) {
    case v1::Change::kCreated:
      update.set_title(change.created().title());
      if (made.direct()) {
        HF_CHECK(made.recipients_size() == 2, "a direct conversation has two members");
        add(made.recipients(0), v1::MEMBER, made.recipients(1));
        add(made.recipients(1), v1::MEMBER, made.recipients(0));
      } else {
        for (const auto& user : change.created().members())
          add(user, user == change.author() ? v1::OWNER : v1::MEMBER, "");
      }
      break;
    case v1::Change::kMembersAdded:
      add_titled();
      for (const auto& user : change.members_added().members()) add(user, v1::MEMBER, "");
      break;
    case v1::Change::kMemberLeft: update.set_left(change.member_left().user_id()); break;
    case v1::Change::kRenamed: update.set_title(change.renamed().title()); break;
    case v1::Change::kRoleChanged:
      update.set_role_of(change.role_changed().user_id());
      update.set_role(change.role_changed().role());
      if (change.role_changed().role() == v1::OWNER) update.set_demoted(change.author());
      break;
    default: break;
  }
}

}  // namespace

void Delivery::on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const {
  const log::Event& event = at.event();
  switch (event.what_case()) {
    case log::Event::kChangeMade: return change_made(at, event.change_made(), view, outcome);
    case log::Event::kPositionMoved: return position_moved(at, event.position_moved(), view, outcome);
    case log::Event::kMemberDeleted: {
      command::Command removal;
      removal.mutable_remove_deleted_member()->set_conversation(event.member_deleted().conversation());
      removal.mutable_remove_deleted_member()->set_user(event.member_deleted().user());
      const auto conversation = id_of<ConversationId>(event.member_deleted().conversation());
      outcome.commands.emplace_back(partition_of(conversation, at.partitions), std::move(removal));
      return;
    }
    case log::Event::kAuthorToErase: {
      command::Command erase;
      erase.mutable_erase_author()->set_conversation(event.author_to_erase().conversation());
      erase.mutable_erase_author()->set_user(event.author_to_erase().user());
      erase.mutable_erase_author()->set_from(event.author_to_erase().from());
      outcome.commands.emplace_back(at.partition, std::move(erase));
      return;
    }
    default: return;  // for other subscribers
  }
}

/// A reference is small, but each member who is there asks for the change at once. So where members are many, short
/// changes stand whole all the same.
bool Delivery::stands_whole(std::size_t bytes, std::uint64_t members) const {
  if (bytes > limits_.whole_bytes_max) return false;
  return members <= limits_.whole_members_max || bytes * members <= kWholeBytesOfAllMax;
}

void Delivery::change_made(const bus::EventAt& at, const log::ChangeMade& made, chat::View& view,
                           bus::Outcome& outcome) const {
  HF_CHECK(static_cast<int>(made.write_index()) < at.entry.writes_size(), "an event names a write of its entry");
  const std::string& bytes = at.entry.writes(static_cast<int>(made.write_index())).put();
  v1::Change change;
  HF_CHECK(change.ParseFromString(bytes), "a change parses");

  command::Deliver deliver;
  deliver.set_conversation(made.conversation());
  deliver.set_kind(made.direct() ? v1::DIRECT : v1::GROUP);
  deliver.set_number(change.number());
  deliver.set_posts(change.posts());
  deliver.set_time_ms(change.time_ms());
  deliver.set_author(change.author());
  deliver.set_is_post(change.has_posted());
  if (made.large())
    deliver.set_head(true);
  else if (!stands_whole(bytes.size(), made.member_count()))
    deliver.set_reference(true);
  else
    deliver.set_change(bytes);
  if (!change.has_posted()) describe(change, made, view, *deliver.mutable_update());

  std::map<std::uint16_t, std::vector<UserId>> by_partition;
  for (const UserId& user : recipients(made, view))
    by_partition[partition_of(user, at.partitions).value].push_back(user);
  outcome.commands.reserve(by_partition.size());
  std::size_t left = by_partition.size();
  for (const auto& [target, users] : by_partition) {
    auto& [to, command] = outcome.commands.emplace_back(PartitionId(target), command::Command());
    if (--left == 0)
      *command.mutable_deliver() = std::move(deliver);
    else
      *command.mutable_deliver() = deliver;
    for (const UserId& user : users) command.mutable_deliver()->add_users(user.str());
  }
}

void Delivery::position_moved(const bus::EventAt& at, const log::PositionMoved& moved, chat::View& view,
                              bus::Outcome& outcome) const {
  const auto user = id_of<UserId>(moved.user());
  command::Command apply;
  auto& position = *apply.mutable_apply_position();
  position.set_conversation(moved.conversation());
  position.set_user(moved.user());
  position.set_delivered(moved.delivered());
  position.set_read(moved.read());
  position.set_read_posts(moved.read_posts());
  position.set_own(true);
  outcome.commands.emplace_back(partition_of(user, at.partitions), std::move(apply));

  chat::TellUsers tell;
  for (const auto& other : moved.audience()) tell.users.push_back(id_of<UserId>(other));
  if (moved.audience().empty() && moved.tell_members())
    tell.users = members_at(id_of<ConversationId>(moved.conversation()), UINT64_MAX - 1, view);
  std::erase(tell.users, user);
  if (tell.users.empty()) return;
  auto& push = *tell.frame.mutable_positions_changed();
  push.set_conversation_id(moved.conversation());
  push.mutable_position()->set_user_id(moved.user());
  push.mutable_position()->set_delivered(moved.delivered());
  push.mutable_position()->set_read(moved.read());
  outcome.tells.push_back(std::move(tell));
}

}  // namespace holdfast::services
