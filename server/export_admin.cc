#include "server/export_admin.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/hash.h"
#include "base/hex.h"
#include "server/chat/audited_address.h"
#include "server/chat/placement.h"
#include "server/export_json.h"
#include "server/services/export.h"
#include "storage/audit_row.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

namespace json = boost::json;
using http::Then;

/// Where an export stands.
///
///   token = hex of:  'r' key                       rows of the user's partition, from this key on
///                    'w' conversation:16 number    what the user wrote there, from this number on, in decimal
///                    'n' conversation:16           the conversation behind this one ('n' alone: the first)
///                    'a' number                    lines of the audit journal behind this one
struct Place {
  char stage = 'r';
  std::string rest;
};

std::string token(char stage, std::string_view rest) { return to_hex(std::string(1, stage) + std::string(rest)); }

std::optional<Place> place_of(const std::string& text) {
  if (text.empty()) return Place{};
  const auto bytes = from_hex(text);
  if (!bytes || bytes->empty()) return std::nullopt;
  return Place{bytes->front(), bytes->substr(1)};
}

std::uint64_t number_in(const std::string& text) {
  std::uint64_t number = 0;
  for (const char c : text)
    if (c >= '0' && c <= '9') number = number * 10 + static_cast<std::uint64_t>(c - '0');
  return number;
}

struct Page {
  json::array items;
  std::string next;
};

/// One page of one user's data, asked of whoever leads the partition.
class Export {
 public:
  Export(chat::Backend& backend, UserId user) : backend_(backend), user_(user) {}

  Task<Result<Page>> page(Place place) {
    switch (place.stage) {
      case 'r': co_return co_await rows(place.rest);
      case 'n': co_return co_await next_conversation(place.rest);
      case 'w': co_return co_await written(place.rest);
      case 'a': co_return co_await lines(number_in(place.rest));
      default: co_return unknown();
    }
  }

 private:
  static Error unknown() { return {Errc::invalid_argument, "from: is not what a page before has said"}; }
  static Error error_of(const command::Answer& answer) {
    const auto code = answer.frame().error().code();
    return {code == v1::INVALID_ARGUMENT ? Errc::invalid_argument : Errc::retry_later,
            answer.frame().error().message()};
  }
  PartitionId home() const { return partition_of(user_, backend_.partitions()); }
  command::Command command() const {
    command::Command command;
    command.set_user(user_.str());
    return command;
  }

  static void add(const command::ExportPage& from, Page& page) {
    for (const auto& row : from.rows()) {
      const auto read = services::read_exported(row.key(), row.row());
      const auto key = keys::decode(row.key());
      if (!key) continue;
      json::object item{{"section", read.section}};
      if (key->family == keys::Family::session) item["session"] = to_hex(key->second);
      if (key->family == keys::Family::list) item["conversation"] = to_hex(key->second);
      if (key->family == keys::Family::intent) item["id"] = to_hex(key->second);
      if (key->family == keys::Family::change) item["conversation"] = to_hex(key->first);
      if (read.message) item["data"] = json_of(*read.message);
      page.items.push_back(std::move(item));
    }
  }

  Task<Result<Page>> rows(std::string from) {
    command::Command ask = command();
    ask.mutable_export_rows()->set_from(std::move(from));
    const command::Answer answer = co_await backend_.asking(home(), std::move(ask));
    if (answer.frame().has_error()) co_return error_of(answer);
    Page page;
    add(answer.export_page(), page);
    const std::string& next = answer.export_page().next_from();
    page.next = next.empty() ? token('n', "") : token('r', next);
    co_return page;
  }

  /// The list is in the order of ids.
  Task<Result<Page>> next_conversation(std::string after) {
    if (!after.empty() && after.size() != ConversationId::kBytes) co_return unknown();
    command::Command ask = command();
    std::string from = keys::prefix(keys::Family::list, user_.bytes());
    if (!after.empty()) from += after + '\0';
    ask.mutable_export_rows()->set_from(from);
    const command::Answer answer = co_await backend_.asking(home(), std::move(ask));
    if (answer.frame().has_error()) co_return error_of(answer);
    Page page;
    const bool none = answer.export_page().rows().empty();
    page.next = none ? token('a', "0")
                     : token('w', std::string(keys::decode(answer.export_page().rows(0).key())->second) + "0");
    co_return page;
  }

  Task<Result<Page>> written(std::string place) {
    const auto conversation = ConversationId::from_bytes(std::string_view(place).substr(0, ConversationId::kBytes));
    if (!conversation) co_return unknown();
    command::Command ask = command();
    ask.mutable_export_written()->set_conversation(conversation->str());
    ask.mutable_export_written()->set_from(number_in(place.substr(ConversationId::kBytes)));
    const PartitionId there = partition_of(*conversation, backend_.partitions());
    const command::Answer answer = co_await backend_.asking(there, std::move(ask));
    if (answer.frame().has_error()) co_return error_of(answer);
    Page page;
    add(answer.export_page(), page);
    const std::uint64_t next = answer.export_page().next_number();
    page.next = next == 0 ? token('n', conversation->bytes()) : token('w', conversation->str() + std::to_string(next));
    co_return page;
  }

  Task<Result<Page>> lines(std::uint64_t after) {
    command::Command ask;
    ask.mutable_show_audit()->set_user(user_.str());
    ask.mutable_show_audit()->set_after(after);
    ask.mutable_show_audit()->set_limit(500);
    const command::Answer answer = co_await backend_.asking(home(), std::move(ask));
    if (answer.frame().has_error()) co_return error_of(answer);
    Page page;
    for (const auto& row : answer.audit_page().rows()) {
      const auto parts = split_audit_row(row.row());
      state::AuditLine line;
      if (!parts || !line.ParseFromArray(parts->line.data(), static_cast<int>(parts->line.size()))) continue;
      page.items.push_back(json::object{{"section", "audit"}, {"number", row.number()}, {"data", json_of(line)}});
    }
    if (answer.audit_page().next() != 0) page.next = token('a', std::to_string(answer.audit_page().next()));
    co_return page;
  }

  chat::Backend& backend_;
  const UserId user_;
};

Task<Result<Page>> page_of(chat::Backend& backend, http::ExportRequest request) {
  const auto place = place_of(request.from);
  if (!place) co_return Error{Errc::invalid_argument, "from: is not what a page before has said"};
  command::Command find;
  find.mutable_find_user()->set_username(request.user);
  const PartitionId partition = chat::partition_of_name(request.user, backend.partitions());
  const command::Answer found = co_await backend.asking(partition, std::move(find));
  const auto user = UserId::from_bytes(found.frame().user().user_id());
  if (!user) {
    const bool nobody = found.frame().error().code() == v1::NOT_FOUND;
    co_return Error{nobody ? Errc::not_found : Errc::retry_later, found.frame().error().message()};
  }
  if (request.from.empty()) {
    command::Command note;
    note.mutable_note_operator()->set_operation("export");
    note.mutable_note_operator()->set_target(request.user);
    note.mutable_note_operator()->set_user(user->str());
    note.mutable_note_operator()->set_peer(request.asker.address);
    note.mutable_note_operator()->set_by(request.asker.name);
    const command::Answer noted = co_await backend.asking(partition, std::move(note));
    if (noted.frame().has_error()) co_return Error{Errc::retry_later, noted.frame().error().message()};
  }
  Export exporting(backend, *user);
  co_return co_await exporting.page(*place);
}

}  // namespace

void tell_export(Engine& engine, http::ExportRequest request, Then<Result<std::string>> then) {
  Shared& shared = engine.shared();
  request.asker.address = chat::audited_address(request.asker.address, *shared.limits);
  Worker& worker = shared.worker_of(chat::partition_of_name(request.user, shared.partitions));
  worker.call([&worker, request = std::move(request), then = std::move(then)]() mutable {
    run_task(page_of(worker, std::move(request)), [then = std::move(then)](Result<Page> page) {
      if (!page) return then(page.error());
      then(json::serialize(json::object{{"items", std::move(page->items)}, {"next", page->next}}) + "\n");
    });
  });
}

}  // namespace holdfast
