#include "server/http/admin_pages.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using namespace holdfast::http;

namespace {

/// A cluster that answers at once, and remembers what it was asked to do.
struct Asked {
  std::vector<AdminAction> actions;
  std::optional<std::uint64_t> at, since;
  Status answer = Ok{};
  std::vector<BackupRequest> backups;
};

HttpAsyncHandler pages(Asked& asked) {
  AdminParts parts;
  parts.is_operator = [](std::string_view key) { return key == "secret"; };
  parts.cluster = [](const auto& then) {
    ClusterFigures figures;
    figures.self = 2;
    then(figures);
  };
  parts.copies = [](const auto& then) { then(CopiesFigures{2, {}}); };
  parts.partition = [&asked](std::uint32_t id, std::optional<std::uint64_t> at, const auto& then) {
    asked.at = at;
    if (id > 7) return then(Error{Errc::not_found, "there is no partition " + std::to_string(id)});
    PartitionDetail detail;
    detail.configured.id = id;
    then(detail);
  };
  parts.events = [&asked](std::uint64_t since, const auto& then) {
    asked.since = since;
    then(EventsFigures{2, 9, {}});
  };
  parts.act = [&asked](AdminAction action, const auto& then) {
    asked.actions.push_back(action);
    then(asked.answer);
  };
  parts.backup = [&asked](BackupRequest request, const auto& then) {
    asked.backups.push_back(request);
    if (request.partition > 7) return then(Error{Errc::retry_later, "not yet"});
    then(std::string("bytes\0", 6));
  };
  return admin_pages(std::move(parts), [](const HttpRequest&) {
    HttpResponse response;
    response.body = "others";
    return response;
  });
}

HttpResponse ask(Asked& asked, const std::string& method, const std::string& target, const std::string& key = "") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  if (!key.empty()) request.headers.emplace_back("authorization", key);
  HttpResponse got;
  pages(asked)(request, [&got](HttpResponse response) { got = std::move(response); });
  return got;
}

HttpResponse get(const std::string& target) {
  Asked asked;
  return ask(asked, "GET", target);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Admin: the cluster, copies, a partition and events are told as JSON, everything else goes to the others") {
  CHECK(contains(get("/admin/cluster").body, "\"self\":2"));
  CHECK(get("/admin/cluster").content_type == "application/json");
  CHECK(contains(get("/admin/copies").body, "\"copies\":[]"));
  CHECK(contains(get("/admin/partitions/5").body, "\"id\":5"));
  CHECK(contains(get("/admin/events").body, "\"last\":9"));
  CHECK(get("/metrics").body == "others");
  CHECK(get("/admin/nothing").status == 404);
}

TEST_CASE("Admin: parameters are numbers, known and complete; anything else is refused and says which") {
  Asked asked;
  CHECK(ask(asked, "GET", "/admin/events?since=17").status == 200);
  CHECK(asked.since == 17);
  CHECK(ask(asked, "GET", "/admin/partitions/5?at=18446744073709551615").status == 200);
  CHECK(asked.at == ~std::uint64_t{0});
  CHECK(get("/admin/partitions/99").status == 404);
  for (const char* bad : {"/admin/events?since=", "/admin/events?since=-1", "/admin/events?since=1x",
                          "/admin/events?until=3", "/admin/partitions/five", "/admin/partitions/5?since=1"})
    CHECK(get(bad).status == 400);
  for (const char* bad : {"/admin/drain", "/admin/drain?node=x", "/admin/drain?node=4294967296", "/admin/move?node=1",
                          "/admin/rebalance?node=1"})
    CHECK(ask(asked, "POST", bad, "Bearer secret").status == 400);
  CHECK(contains(ask(asked, "POST", "/admin/move?node=1", "Bearer secret").body, "'partition' is missing"));
  CHECK(asked.actions.empty());
}

TEST_CASE("Admin: a change wants the operators' key, and nothing is done without it") {
  Asked asked;
  for (const char* key : {"", "secret", "Bearer", "Bearer ", "Bearer wrong", "Basic secret"}) {
    const auto answer = ask(asked, "POST", "/admin/drain?node=2", key);
    CHECK(answer.status == 401);
    CHECK(contains(answer.body, "operator.key"));
  }
  CHECK(asked.actions.empty());
  CHECK(ask(asked, "POST", "/admin/drain?node=2", "Bearer secret").status == 202);
  CHECK(ask(asked, "POST", "/admin/move?partition=7&node=3", "Bearer secret").status == 202);
  REQUIRE(asked.actions.size() == 2);
  CHECK(asked.actions[0].kind == AdminAction::Kind::drain);
  CHECK(asked.actions[0].node == 2);
  CHECK(asked.actions[1].kind == AdminAction::Kind::move);
  CHECK(asked.actions[1].partition == 7);
  CHECK(asked.actions[1].node == 3);
}

TEST_CASE("Admin: nothing of a backup is told without the operators' key, and with it everything, as bytes") {
  Asked asked;
  for (const char* what : {"settings", "hold?backup=1&node=2", "piece?backup=1&node=2&partition=3"}) {
    CHECK(ask(asked, "POST", std::string("/admin/backup-") + what).status == 401);
    CHECK(ask(asked, "GET", std::string("/admin/backup-") + what, "Bearer secret").status == 404);
  }
  CHECK(asked.backups.empty());
  const auto piece =
      ask(asked, "POST", "/admin/backup-piece?backup=18446744073709551615&node=2&partition=3", "Bearer secret");
  CHECK(piece.status == 200);
  CHECK(piece.content_type == "application/octet-stream");
  CHECK(piece.body == std::string("bytes\0", 6));
  REQUIRE(asked.backups.size() == 1);
  CHECK(asked.backups[0].kind == BackupRequest::Kind::piece);
  CHECK(asked.backups[0].backup == ~std::uint64_t{0});
  CHECK(asked.backups[0].node == 2);
  CHECK(asked.backups[0].partition == 3);
  CHECK(ask(asked, "POST", "/admin/backup-piece?backup=1&node=2&partition=9", "Bearer secret").status == 503);
  CHECK(ask(asked, "POST", "/admin/backup-hold?node=2", "Bearer secret").status == 400);
  CHECK(ask(asked, "POST", "/admin/backup-wish?node=2", "Bearer secret").status == 404);
}

TEST_CASE("Admin: what an operator writes is text, or it is refused before anybody is asked") {
  Asked asked;
  HttpRequest request;
  request.method = "POST";
  request.target = "/admin/drain?node=2";
  request.headers.emplace_back("authorization", "Bearer secret");
  const auto status = [&](const HttpRequest& one) {
    HttpResponse got;
    pages(asked)(one, [&got](HttpResponse response) { got = std::move(response); });
    return got.status;
  };
  for (const std::string& bad : {std::string("J\xf6rg"), std::string("Jörg").substr(0, 2), std::string(129, 'x')}) {
    HttpRequest named = request;
    named.headers.emplace_back("x-holdfast-operator", bad);
    CHECK(status(named) == 400);
  }
  HttpRequest incident = request;
  incident.target = "/admin/incident-start";
  incident.body = "Sch\xf6n ist das nicht";
  CHECK(status(incident) == 400);
  HttpRequest about = request;
  about.method = "GET";
  about.target = "/admin/export?user=j\xf6rg";
  CHECK(status(about) == 400);
  CHECK(asked.actions.empty());
  request.headers.emplace_back("x-holdfast-operator", "Jörg");
  CHECK(status(request) == 202);
  REQUIRE(asked.actions.size() == 1);
  CHECK(asked.actions.front().asker.name == "Jörg");
}

TEST_CASE("Admin: an unsafe recovery names partition, node, epoch and entry") {
  Asked asked;
  CHECK(ask(asked, "POST", "/admin/unsafe-recover?partition=3&node=1", "Bearer secret").status == 400);
  CHECK(ask(asked, "POST", "/admin/unsafe-recover?partition=3&node=1&epoch=9&at=5000000000", "Bearer secret").status ==
        202);
  REQUIRE(asked.actions.size() == 1);
  CHECK(asked.actions[0].kind == AdminAction::Kind::unsafe_recover);
  CHECK(asked.actions[0].epoch == 9);
  CHECK(asked.actions[0].at == 5'000'000'000);
}

TEST_CASE("Admin: what the cluster refuses comes with its reason and a status that tells which kind it is") {
  const auto refused = [](Errc code) {
    Asked asked;
    asked.answer = Error{code, "because"};
    return ask(asked, "POST", "/admin/rebalance", "Bearer secret");
  };
  CHECK(refused(Errc::not_primary).status == 409);
  CHECK(refused(Errc::retry_later).status == 503);
  CHECK(refused(Errc::invalid_argument).status == 400);
  CHECK(refused(Errc::not_found).status == 404);
  CHECK(contains(refused(Errc::not_primary).body, "because"));
}

TEST_CASE("Admin: a changing request by GET does nothing, and other methods are refused") {
  Asked asked;
  CHECK(ask(asked, "GET", "/admin/drain?node=2", "Bearer secret").status == 404);
  CHECK(ask(asked, "DELETE", "/admin/drain?node=2", "Bearer secret").status == 405);
  CHECK(asked.actions.empty());
}
