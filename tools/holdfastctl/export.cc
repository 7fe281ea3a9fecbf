#include "tools/holdfastctl/export.h"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include "base/time.h"
#include "tools/holdfastctl/options.h"
#include "tools/holdfastctl/sink.h"

namespace holdfast::ctl {
namespace {

namespace json = boost::json;

Error unreadable() { return {Errc::corrupt, "the node's answer can't be read: that is no page of an export"}; }

/// Adds a page's items to their sections; the token of the next page, or nothing if that was all.
Result<std::string> take(const std::string& body, json::object& sections) {
  json::error_code error;
  const json::value page = json::parse(body, error);
  const auto* object = error ? nullptr : page.if_object();
  const auto* items = object ? object->if_contains("items") : nullptr;
  const auto* next = object ? object->if_contains("next") : nullptr;
  if (!items || !items->is_array() || !next || !next->is_string()) return unreadable();
  for (const json::value& item : items->as_array()) {
    if (!item.is_object()) return unreadable();
    json::object one = item.as_object();
    const auto* section = one.if_contains("section");
    if (!section || !section->is_string()) return unreadable();
    const std::string name(section->as_string());
    one.erase("section");
    if (const auto* data = one.if_contains("data"); data && data->is_object()) {
      const json::object fields = data->as_object();
      one.erase("data");
      for (const auto& [key, value] : fields) one[key] = value;
    }
    auto& all = sections[name];
    if (!all.is_array()) all = json::array();
    all.as_array().push_back(std::move(one));
  }
  return std::string(next->as_string());
}

}  // namespace

void add_export(CLI::App& users, ExportCommand& command) {
  command.app = users.add_subcommand("export", "all that is stored about a user, as JSON (over --admin)");
  command.app->add_option("NAME", command.user, "the user")->required();
  command.app->add_option("-o,--out", command.out, "write to this file, for its owner only");
}

std::optional<int> run_export(const ExportCommand& command, const Asked& asked) {
  if (!command.app->parsed()) return std::nullopt;
  if (command.user.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") != std::string::npos)
    return failed({Errc::invalid_argument, "NAME: users' names have a-z, 0-9, '.', '_' and '-'"});
  auto admin = make_admin(asked);
  if (!admin) return failed(admin.error());
  json::object sections;
  std::string from;
  do {
    const auto body = admin->get_secret("/admin/export?user=" + command.user + (from.empty() ? "" : "&from=" + from));
    if (!body) return failed(body.error());
    auto next = take(*body, sections);
    if (!next) return failed(next.error());
    from = std::move(*next);
  } while (!from.empty());
  auto sink = Sink::open(command.out);
  if (!sink) return failed(sink.error());
  const json::object all{{"user", command.user}, {"exported_ms", to_ms(wall_now())}, {"data", sections}};
  if (const Status written = sink->write(json::serialize(all) + "\n"); !written) return failed(written.error());
  return kExitOk;
}

}  // namespace holdfast::ctl
