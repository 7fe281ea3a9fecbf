#include "server/chat/delete_account.h"

#include "server/chat/attempts.h"
#include "storage/keys.h"

namespace holdfast::chat {
namespace {

constexpr std::size_t kRowsOfAPage = 10'000;

/// Exactly those: one that a delivery added while we looked away would keep a member that is no more.
std::vector<std::string> conversations_of(const UserId& user, View& view) {
  std::vector<std::string> conversations;
  const std::string prefix = keys::prefix(keys::Family::list, user.bytes());
  Range page{prefix, keys::after_prefix(prefix), kRowsOfAPage, 64u << 20, false};
  for (;;) {
    const std::vector<Row>* rows = view.exact_range(page);
    if (!rows || rows->empty()) return conversations;
    for (const Row& row : *rows) {
      const auto key = keys::decode(row.key);
      HF_CHECK(key && key->family == keys::Family::list, "a range of the list has keys of the list");
      conversations.emplace_back(key->second);
    }
    page.from = rows->back().key + '\0';
  }
}

void remove_family(keys::Family family, const UserId& user, Draft& draft) {
  const std::string prefix = keys::prefix(family, user.bytes());
  draft.remove_range(prefix, keys::after_prefix(prefix));
}

}  // namespace

void delete_account(const Context&, SessionBook& book, const command::ChangeAccount::Delete& how, View& view,
                    Draft& draft) {
  const UserId& user = book.user();
  const std::string username = book.account().username();
  book.end_all_but(std::nullopt, v1::SESSION_ENDED,
                   how.by_operator() ? "the account was deleted by an operator"
                                     : "the account was deleted");  // not saved: the rows go
  log::AccountDeleted& deleted = *draft.emit().mutable_account_deleted();
  deleted.set_user(user.str());
  deleted.set_username(username);
  deleted.set_address_hash(book.account().address_hash());
  deleted.set_by_operator(how.by_operator());
  if (how.by_operator()) {
    log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
    acted.set_operation("delete_account");
    acted.set_target(username);
    acted.set_user(user.str());
    acted.set_reason(how.reason());
    acted.set_peer(how.peer());
  }
  for (std::string& conversation : conversations_of(user, view)) {
    log::MemberDeleted& event = *draft.emit().mutable_member_deleted();
    event.set_user(user.str());
    event.set_conversation(std::move(conversation));
  }

  state::Name tombstone;
  tombstone.set_user(user.str());
  tombstone.set_deleted(true);
  draft.put(keys::name(username), tombstone);
  clear_failures(username, view, draft);
  draft.remove(keys::account(user));
  draft.remove(keys::secrets(user));
  draft.remove(keys::mailbox(user));
  draft.remove(keys::blocks(user));
  draft.remove(keys::lost(user));
  for (const auto family : {keys::Family::session, keys::Family::inbox, keys::Family::head, keys::Family::list})
    remove_family(family, user, draft);
}

}  // namespace holdfast::chat
