#include "tests/support/browser.h"

#include <sodium.h>

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <optional>

#include "tests/support/child.h"
#include "tests/support/http_get.h"

namespace holdfast::testing {
namespace {

namespace json = boost::json;

constexpr const char* kDriver = "/usr/bin/chromedriver";
constexpr const char* kBrowser = "/usr/bin/chromium";
constexpr const char* kElementKey = "element-6066-11e4-a52e-4f735466cecf";  // WebDriver, 12.1

/// No sandbox: tests run as root in containers. No background traffic: there is nobody to talk to.
json::value capabilities(const std::string& profile) {
  const json::array arguments{"--headless=new",
                              "--no-sandbox",
                              "--disable-gpu",
                              "--disable-quic",
                              "--no-first-run",
                              "--disable-background-networking",
                              "--disable-component-update",
                              "--disable-sync",
                              "--disable-dev-shm-usage",
                              "--ignore-certificate-errors",
                              "--window-size=900,900",
                              "--user-data-dir=" + profile};
  return {{"capabilities",
           {{"alwaysMatch",
             {{"browserName", "chrome"}, {"goog:chromeOptions", {{"binary", kBrowser}, {"args", arguments}}}}}}}};
}

std::uint16_t port_in(const std::string& line) {
  const auto at = line.rfind("on port ");
  return at == std::string::npos ? std::uint16_t{0} : static_cast<std::uint16_t>(std::stoi(line.substr(at + 8)));
}

}  // namespace

struct Browser::Driver {
  explicit Driver(const std::filesystem::path& folder) {
    // It draws a port of one family and ends if the other's of that number is in use: then another one is drawn.
    for (int tries = 0; port == 0 && tries < 10; ++tries) {
      child = std::make_unique<Child>(std::vector<std::string>{kDriver, "--port=0"}, folder / "chromedriver.err");
      for (int lines = 0; port == 0 && lines < 20 && !child->has_ended(); ++lines) port = port_in(child->read_line());
    }
    REQUIRE(port != 0);
    const json::value made = ask("POST", "/session", capabilities((folder / "profile").string()));
    session = "/session/" + std::string(made.at("sessionId").as_string());
  }
  ~Driver() {
    http_request(port, {.method = "DELETE", .path = session, .headers = {}, .body = ""});
    child->stop();
  }

  json::value ask(const std::string& method, const std::string& path, const json::value& body) {
    const bool has_body = method == "POST";
    const HttpAnswer answer = http_request(port, {.method = method,
                                                  .path = path,
                                                  .headers = has_body ? "Content-Type: application/json\r\n" : "",
                                                  .body = has_body ? json::serialize(body) : ""});
    INFO(method << " " << path << ": " << answer.body.substr(0, 500));
    REQUIRE(answer.status == 200);
    return json::parse(answer.body).at("value");
  }
  json::value get(const std::string& path) { return ask("GET", session + path, nullptr); }
  std::optional<json::value> try_get(const std::string& path) {
    const HttpAnswer answer = http_request(port, {.method = "GET", .path = session + path, .headers = "", .body = ""});
    if (answer.status != 200) return std::nullopt;
    return json::parse(answer.body).at("value");
  }
  json::value post(const std::string& path, const json::value& body) { return ask("POST", session + path, body); }
  /// Fails with what the page says instead.
  std::string element(const std::string& selector) {
    const json::value found = post("/elements", {{"using", "css selector"}, {"value", selector}});
    if (found.as_array().empty()) {
      const json::value body = post("/element", {{"using", "css selector"}, {"value", "body"}});
      const json::value text = get("/element/" + std::string(body.at(kElementKey).as_string()) + "/text");
      FAIL("the page has no " << selector << ": " << text.as_string().c_str());
    }
    return "/element/" + std::string(found.as_array().front().at(kElementKey).as_string());
  }

  std::unique_ptr<Child> child;
  std::uint16_t port = 0;
  std::string session;
};

Browser::Browser() : driver_(std::make_unique<Driver>(folder_.path())) {}
Browser::~Browser() = default;

void Browser::open(const std::string& url) { driver_->post("/url", {{"url", url}}); }
std::string Browser::url() { return std::string(driver_->get("/url").as_string()); }
std::string Browser::title() { return std::string(driver_->get("/title").as_string()); }

void Browser::type(const std::string& selector, const std::string& text) {
  driver_->post(driver_->element(selector) + "/value", {{"text", text}});
}

void Browser::click(const std::string& selector) {
  driver_->post(driver_->element(selector) + "/click", json::object());
}

std::string Browser::text(const std::string& selector) {
  return std::string(driver_->get(driver_->element(selector) + "/text").as_string());
}

void Browser::await_text(const std::string& selector, const std::string& wanted) {
  const json::value by_selector{{"using", "css selector"}, {"value", selector}};
  const bool came = comes_true([&] {
    const json::value found = driver_->post("/elements", by_selector);
    for (const json::value& element : found.as_array()) {
      // The page may be another one by now: then the element is of no page any more.
      const auto shown = driver_->try_get("/element/" + std::string(element.at(kElementKey).as_string()) + "/text");
      if (shown && shown->as_string() == wanted) return true;
    }
    return false;
  });
  INFO("wanted: " << wanted << "; shown: " << text("body"));
  REQUIRE(came);
}

bool Browser::has(const std::string& selector) {
  return !driver_->post("/elements", {{"using", "css selector"}, {"value", selector}}).as_array().empty();
}

void Browser::save_screenshot(const std::filesystem::path& png) {
  const std::string base64(driver_->get("/screenshot").as_string());
  std::string bytes(base64.size(), '\0');
  std::size_t length = 0;
  REQUIRE(sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), base64.data(), base64.size(),
                            nullptr, &length, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0);
  bytes.resize(length);
  std::ofstream(png, std::ios::binary) << bytes;
}

bool can_run_browser() {
  if (std::filesystem::exists(kDriver) && std::filesystem::exists(kBrowser)) return true;
  WARN("no chromium and chromedriver here: what a browser shows is not tested");
  return false;
}

}  // namespace holdfast::testing
