#include "server/http/account_pages.h"

#include "server/http/form.h"
#include "server/http/html.h"
#include "tests/server/services/ways_back_world.h"

namespace holdfast::http {
namespace {

using services::WaysBackWorld;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string encoded(std::string_view text) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

/// The pages over real rules.
struct Site : WaysBackWorld {
  UserPages pages = account_pages({[] { return "https://chat.test"; }, [this](auto run) { run(backend); }});

  HttpResponse ask(HttpRequest request) {
    std::optional<HttpResponse> answer;
    request.remote = "192.0.2.7:4711";
    REQUIRE(pages(request, [&answer](HttpResponse response) { answer = std::move(response); }));
    backend.settle();
    run_bus();
    REQUIRE(answer);
    CHECK(contains(header(*answer, "content-security-policy"), "default-src 'none'"));
    CHECK(contains(header(*answer, "content-security-policy"), "form-action 'self'"));
    CHECK(header(*answer, "referrer-policy") == "no-referrer");
    CHECK(header(*answer, "cache-control") == "no-store");
    CHECK_FALSE(contains(answer->body, "<script"));
    CHECK_FALSE(contains(answer->body, "//"));  // nothing from elsewhere
    return *answer;
  }
  HttpResponse get(const std::string& target) {
    HttpRequest request;
    request.method = "GET";
    request.target = target;
    return ask(request);
  }
  HttpResponse post(const std::string& path, std::vector<std::pair<std::string, std::string>> fields,
                    std::vector<std::pair<std::string, std::string>> headers = {{"sec-fetch-site", "same-origin"}}) {
    HttpRequest request;
    request.method = "POST";
    request.target = path;
    request.headers = std::move(headers);
    for (const auto& [name, value] : fields) request.body += name + "=" + encoded(value) + "&";
    return ask(request);
  }
  static std::string header(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }
  std::string reset_token(const chat::Caller& caller) {
    post("/reset", {{"who", "anna"}});
    return link(caller, "password_reset");
  }
};

bool is_reset_asked(const log::Event& event) { return event.has_reset_asked(); }

}  // namespace

TEST_CASE("Account pages: asking for a link is answered the same for whoever there is") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  const HttpResponse known = site.post("/reset", {{"who", " anna "}});
  CHECK(known.status == 200);
  CHECK(site.post("/reset", {{"who", "nobody"}}).body == known.body);
  CHECK(site.post("/reset", {{"who", "anna@inbox.test"}}).body == known.body);
  CHECK(site.post("/reset", {{"who", "nobody@inbox.test"}}).body == known.body);
  CHECK(site.count_events(is_reset_asked) == 2);
  CHECK(site.mails(anna, "password_reset").size() == 2);
}

TEST_CASE("Account pages: what can be no name is said, and stands in the form again, as text") {
  Site site;
  const HttpResponse answer = site.post("/reset", {{"who", "\"><img src=x>"}});
  CHECK(answer.status == 422);
  CHECK(contains(answer.body, "role=\"alert\""));
  CHECK(contains(answer.body, "value=\"&quot;&gt;&lt;img src=x&gt;\""));
}

TEST_CASE(
    "Account pages: the link's page sets the password once; until then, however often it is opened, nothing changes") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  const std::string token = site.reset_token(anna);
  const std::string before = site.account(anna).SerializeAsString();
  for (int i = 0; i < 3; ++i) {
    const HttpResponse form = site.get("/reset?t=" + token);
    CHECK(form.status == 200);
    CHECK(contains(form.body, "value=\"anna\""));
    CHECK(contains(form.body, "autocomplete=\"new-password\""));
    CHECK(contains(form.body, "name=\"t\" value=\"" + token + "\""));
  }
  CHECK(site.account(anna).SerializeAsString() == before);
  const HttpResponse done = site.post("/reset", {{"t", token}, {"password", "battery & staple+%"}});
  CHECK(done.status == 200);
  CHECK(contains(done.body, "Your password is changed"));
  CHECK(site.log_in("anna", "battery & staple+%").has_session());
  for (const HttpResponse& again :
       {site.get("/reset?t=" + token), site.post("/reset", {{"t", token}, {"password", "battery staple"}})}) {
    CHECK(again.status == 410);
    CHECK(contains(again.body, "href=\"/reset\""));
  }
  CHECK(site.get("/reset?t=garbage").status == 410);
}

TEST_CASE(
    "Account pages: a password that is too short, common or the user's name is refused in words, and the link stays") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  const std::string token = site.reset_token(anna);
  for (const char* bad : {"short", "password", "P@ssw0rd2024!", "Annaanna", "12345678", "qwertzuiop"}) {
    const HttpResponse answer = site.post("/reset", {{"t", token}, {"password", bad}});
    INFO(bad);
    CHECK(answer.status == 422);
    CHECK(contains(answer.body, "aria-invalid=\"true\""));
    CHECK_FALSE(contains(answer.body, std::string("value=\"") + bad));
  }
  CHECK(site.post("/reset", {{"t", token}, {"password", "battery staple"}}).status == 200);
}

TEST_CASE("Account pages: a POST from elsewhere, of another method, too large or malformed changes nothing") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  using Headers = std::vector<std::pair<std::string, std::string>>;
  for (const Headers& headers :
       {Headers{}, Headers{{"sec-fetch-site", "cross-site"}}, Headers{{"sec-fetch-site", "same-site"}},
        Headers{{"sec-fetch-site", "none"}}, Headers{{"origin", "https://evil.test"}}, Headers{{"origin", "null"}},
        Headers{{"origin", "https://chat.test.evil.test"}},
        Headers{{"origin", "https://evil.test"}, {"host", "evil.test"}}})
    CHECK(site.post("/reset", {{"who", "anna"}}, headers).status == 403);
  CHECK(site.post("/reset", {{"who", std::string(9000, 'a')}}).status == 413);
  HttpRequest request;
  request.method = "PUT";
  request.target = "/reset";
  const HttpResponse refused = site.ask(request);
  CHECK(refused.status == 405);
  CHECK(Site::header(refused, "allow") == "GET, HEAD, POST");
  CHECK(site.get("/reset?t=%zz").status == 400);
  CHECK(site.get("/reset?t=a&t=b").status == 400);
  CHECK(site.mails(anna, "password_reset").empty());
  CHECK(site.post("/reset", {{"who", "anna"}}, {{"origin", "https://chat.test"}}).status == 200);
}

TEST_CASE("Account pages: an address is verified by the button, not by opening the link") {
  Site site;
  const auto anna = site.user("anna", "anna@inbox.test");
  const std::string token = site.link(anna, "verify_address");
  const HttpResponse page = site.get("/verify?t=" + token);
  CHECK(page.status == 200);
  CHECK(contains(page.body, "anna@inbox.test"));
  CHECK_FALSE(site.account(anna).email_verified());
  CHECK(site.post("/verify", {{"t", token}}).status == 200);
  CHECK(site.account(anna).email_verified());
  CHECK(site.post("/verify", {{"t", token}}).status == 410);
  CHECK(site.get("/verify?t=" + token).status == 410);
}

TEST_CASE("Account pages: a one-time code sets a password; a wrong code and a wrong name look alike") {
  Site site;
  site.user("anna");
  chat::Caller clerk;
  clerk.operator_rights = true;
  v1::ClientFrame frame;
  frame.mutable_recover_account()->set_username("anna");
  const std::string code = static_cast<WaysBackWorld&>(site).ask(clerk, frame).recovery().code();
  CHECK(site.get("/recover").status == 200);
  const auto error_of = [](const HttpResponse& page) {
    const auto from = page.body.find("role=\"alert\"");
    return page.body.substr(from, page.body.find("</p>", from) - from);
  };
  const HttpResponse wrong_code =
      site.post("/recover", {{"username", "anna"}, {"code", "00000-00000"}, {"password", "battery staple"}});
  const HttpResponse wrong_name =
      site.post("/recover", {{"username", "nobody"}, {"code", code}, {"password", "battery staple"}});
  CHECK(wrong_code.status == 422);
  CHECK(wrong_name.status == 422);
  CHECK(error_of(wrong_code) == error_of(wrong_name));
  CHECK(site.post("/recover", {{"username", "anna"}, {"code", code}, {"password", "password1"}}).status == 422);
  CHECK(site.post("/recover", {{"username", "anna"}, {"code", code}, {"password", "battery staple"}}).status == 200);
  CHECK(site.log_in("anna", "battery staple").has_session());
}

TEST_CASE("Account pages: where only networks are wanted, nothing that is written down has a user's whole address") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  chat::Limits limits = site.backend.limits();
  limits.audit_addresses = chat::AuditAddresses::network;
  site.backend.set_limits(limits);
  const std::string token = site.reset_token(anna);
  REQUIRE(site.post("/reset", {{"t", token}, {"password", "battery staple"}}).status == 200);
  const auto mentions = [&site](const char* text) {
    return site.count_events([text](const log::Event& event) { return contains(event.SerializeAsString(), text); });
  };
  CHECK(mentions("192.0.2.7") == 0);
  CHECK(mentions("192.0.2.0/24") == 2);  // asked for, and used
}

TEST_CASE("Account pages: where passwords can't be hashed now, the form says so and keeps the link") {
  Site site;
  const auto anna = site.verified_user("anna", "anna@inbox.test");
  const std::string token = site.reset_token(anna);
  site.backend.password_pool_full = true;
  const HttpResponse busy = site.post("/reset", {{"t", token}, {"password", "battery staple"}});
  CHECK(busy.status == 503);
  CHECK(contains(busy.body, "try again"));
  CHECK(contains(busy.body, token));
}

TEST_CASE("A form's fields: blanks, escapes and UTF-8 come back; a broken one gives nothing") {
  const auto fields = parse_fields("a=1+2%2B3&b=%C3%A4&c&=x&d=");
  REQUIRE(fields);
  CHECK(field(*fields, "a") == "1 2+3");
  CHECK(field(*fields, "b") == "\xc3\xa4");
  CHECK(fields->contains("c"));
  CHECK(field(*fields, "none").empty());
  CHECK_FALSE(parse_fields("a=%4"));
  CHECK_FALSE(parse_fields("a=%4g"));
  CHECK_FALSE(parse_fields("a=1&a=2"));
}

TEST_CASE("A form's origin: over plain http from afar browsers send none, and it is let in") {
  HttpRequest request;
  CHECK(is_from_here(request, "http://chat.test"));
  CHECK_FALSE(is_from_here(request, "https://chat.test"));
  request.headers = {{"origin", "https://chat.test:8443"}};
  CHECK(is_from_here(request, "https://chat.test:8443/chat"));
  CHECK_FALSE(is_from_here(request, "https://chat.test"));
}

}  // namespace holdfast::http
