#include "server/http/status_page.h"

#include <catch2/catch.hpp>

using namespace holdfast::http;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

StatusFigures well() {
  StatusFigures figures;
  figures.now_ms = 1'700'000'000'000;
  figures.read_ms = figures.now_ms - 1'000;
  figures.partitions = 64;
  return figures;
}

}  // namespace

TEST_CASE("Status page: says that all is well, and what was before") {
  StatusFigures figures = well();
  CHECK(contains(status_page(figures), "All is well"));
  CHECK_FALSE(contains(status_page(figures), "Earlier"));
  figures.incidents.push_back({1'699'990'000'000, 1'699'991'000'000, false, {{1'699'990'000'000, "It was the disk."}}});
  const std::string page = status_page(figures);
  CHECK(contains(page, "All is well"));
  CHECK(contains(page, "Earlier"));
  CHECK(contains(page, "It was the disk."));
  CHECK(contains(page, "2023-11-14 19:26 UTC"));
}

TEST_CASE("Status page: an open incident stands on top, its newest word first, and no word of it is markup") {
  StatusFigures figures = well();
  figures.incidents.push_back({figures.now_ms - 5'000, 0, false, {{1, "first <b>word</b>"}, {2, "\"second\" & last"}}});
  const std::string page = status_page(figures);
  CHECK(contains(page, "There is a disturbance"));
  CHECK(contains(page, "first &lt;b&gt;word&lt;/b&gt;"));
  CHECK(page.find("&quot;second&quot; &amp; last") < page.find("first &lt;b"));
  CHECK_FALSE(contains(page, "<b>"));
}

TEST_CASE("Status page: says what it can't know") {
  StatusFigures figures = well();
  figures.unserved = 3;
  CHECK(contains(status_page(figures), "3 of 64 parts of the service have no server"));
  CHECK_FALSE(contains(status_page(figures), "All is well"));
  figures = well();
  figures.read_ms = figures.now_ms - 60'000;
  CHECK(contains(status_page(figures), "as of"));
  figures.read_ms.reset();
  CHECK(contains(status_page(figures), "Not known at present"));
}

TEST_CASE("Status page: is served under its path alone, for reading") {
  const auto pages = status_pages([] { return well(); });
  std::string body;
  const auto get = [&](const std::string& method, const std::string& target) {
    holdfast::HttpRequest request;
    request.method = method;
    request.target = target;
    return pages(request, [&body](holdfast::HttpResponse response) { body = std::move(response.body); });
  };
  CHECK_FALSE(get("GET", "/statusx"));
  CHECK_FALSE(get("POST", "/status"));
  CHECK(body.empty());
  CHECK(get("GET", "/status?x=1"));
  CHECK(contains(body, "All is well"));
}
