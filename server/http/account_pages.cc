#include "server/http/account_pages.h"

#include "server/chat/audited_address.h"
#include "server/chat/validation.h"
#include "server/http/form.h"
#include "server/http/html.h"
#include "server/http/new_password.h"
#include "server/services/secret_links.h"

namespace holdfast::http {
namespace {

using services::LinkFor;

constexpr std::size_t kBodyBytesMax = 8 * 1024;  ///< a password of 1,024 bytes, each written as %XX, and the rest
constexpr std::size_t kTokenCharactersMax = 128;

struct Request {
  std::string path;
  Fields fields;
  std::string remote;
  HttpReply reply;
};

/// As exactly as the journal is to keep it.
std::string audited_peer(const Request& request, const chat::Backend& backend) {
  return chat::audited_address(request.remote, backend.limits());
}

std::string paragraph(const std::string& text) { return "<p>" + text + "</p>\n"; }

/// What is wrong, above the form, and read out by itself.
std::string error_box(const std::string& error) {
  return error.empty() ? "" : "<p class=\"error\" role=\"alert\" id=\"error\">" + escape_html(error) + "</p>\n";
}
std::string marks(const std::string& error) {
  return error.empty() ? "" : " aria-invalid=\"true\" aria-describedby=\"error\"";
}

std::string password_field(const chat::Limits& limits, const std::string& error, bool focus) {
  return "<label for=\"password\">New password</label>\n"
         "<input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"new-password\" required "
         "minlength=\"" +
         std::to_string(limits.password_bytes_min) + "\" maxlength=\"" + std::to_string(limits.password_bytes_max) +
         "\"" +
         (error.empty() ? " aria-describedby=\"rules\"" : " aria-invalid=\"true\" aria-describedby=\"error rules\"") +
         (focus ? " autofocus" : "") + ">\n<div class=\"hint\" id=\"rules\">At least " +
         std::to_string(limits.password_bytes_min) +
         " characters, and none that anybody would guess: no common password, no row of the keyboard, not your name. "
         "Several words that have nothing to do with each other are good.</div>\n";
}

void show(const Request& request, Page page) { request.reply(html_page(page)); }

// ------------------------------------------------------------------------------------------------ words for failures

Page link_is_void(const char* again) {
  return {410, "This link does not work any more",
          paragraph("It works once, for a limited time, and a newer link makes it void. So does logging in.") + again,
          ""};
}
constexpr const char* kAskAgain = "<p class=\"more\"><a href=\"/reset\">Ask for a new link</a></p>";
constexpr const char* kResendInApp =
    "<p class=\"more\">If your address is not verified yet, your app can send a new mail.</p>";

/// What went wrong that is nobody's mistake.
std::string busy_text(const v1::Error& error) {
  switch (error.code()) {
    case v1::STORAGE_FULL: return "The server takes no changes at present. Please try again later.";
    case v1::ACCOUNT_SUSPENDED:
    case v1::ACCOUNT_BANNED: return "This account was closed by the people who run the service.";
    default: return "The server is busy at this moment. Please try again in a few seconds.";
  }
}
unsigned status_of(const v1::Error& error) {
  const bool closed = error.code() == v1::ACCOUNT_SUSPENDED || error.code() == v1::ACCOUNT_BANNED;
  return closed ? 403 : 503;
}
bool is_void(const v1::Error& error) {
  return error.code() == v1::PRECONDITION_FAILED || error.code() == v1::NOT_FOUND;
}

// ------------------------------------------------------------------------------------------------ asking for a reset

Page ask_page(const std::string& error = {}, const std::string& who = {}, unsigned status = 200) {
  return {
      status, "Forgotten your password?",
      paragraph("Tell us your name or your e-mail address. You will get a mail with a link that lets you set a new "
                "password.") +
          "<form method=\"post\" action=\"/reset\">\n" + error_box(error) +
          "<label for=\"who\">Name or e-mail address</label>\n"
          "<input type=\"text\" id=\"who\" name=\"who\" autocomplete=\"username\" autocapitalize=\"none\" "
          "spellcheck=\"false\" required maxlength=\"254\" autofocus value=\"" +
          escape_html(who) + "\"" + marks(error) +
          ">\n<button type=\"submit\">Send me a link</button>\n</form>\n"
          "<p class=\"more\">No address, or no access to it? The people who run this service can give you a one-time "
          "code: <a href=\"/recover\">use a code</a>.</p>",
      ""};
}

Page asked_page(const chat::Limits& limits) {
  return {
      200, "Look into your mail",
      paragraph("If there is such an account and its address is verified, a mail is on its way. Its link works once, "
                "for " +
                std::to_string(limits.reset_lifetime.count()) + " minutes.") +
          paragraph("Nothing there after a few minutes? Look where spam goes, and whether it is the name or the "
                    "address that you registered with.") +
          "<p class=\"more\"><a href=\"/reset\">Try another name or address</a></p>",
      ""};
}

std::string trimmed(std::string text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

void ask(const Request& request, chat::Backend& backend) {
  const std::string who = trimmed(field(request.fields, "who"));
  const bool is_address = who.find('@') != std::string::npos;
  services::ResetWish wish;
  (is_address ? wish.email : wish.username) = who;
  wish.peer = audited_peer(request, backend);
  const auto bad = is_address ? chat::bad_email(who, backend.limits()) : chat::bad_username(who, backend.limits());
  if (bad) {
    const char* what = is_address ? "That is no e-mail address: it looks like name@example.org."
                                  : "Names have small letters, digits, dots, dashes and underscores only.";
    return show(request, ask_page(what, who, 422));
  }
  if (!backend.admit_stranger())
    return show(request,
                ask_page("Too many people are asking at this moment. Please try again in a minute.", who, 429));
  show(request, asked_page(backend.limits()));
  services::ask_for_reset(backend, wish);
}

// ------------------------------------------------------------------------------------------------ using its link

Page set_page(const command::SecretState& owner, const std::string& token, const chat::Limits& limits,
              const std::string& error = {}, unsigned status = 200) {
  return {status, "Set a new password",
          "<form method=\"post\" action=\"/reset\">\n" + error_box(error) +
              "<label for=\"username\">Your name</label>\n"
              "<input type=\"text\" id=\"username\" autocomplete=\"username\" readonly value=\"" +
              escape_html(owner.username()) + "\">\n<input type=\"hidden\" name=\"t\" value=\"" + escape_html(token) +
              "\">\n" + password_field(limits, error, true) +
              "<button type=\"submit\">Set the password</button>\n</form>\n"
              "<p class=\"more\">All your devices are logged out by this. Until then nothing changes.</p>",
          ""};
}

Page changed_page() {
  return {200, "Your password is changed",
          paragraph("All your devices were logged out. Log in with the new password in your app.") +
              "<p class=\"more\">You can close this page.</p>",
          ""};
}

Task<bool> show_set_form(chat::Backend& backend, Request request, std::string error, unsigned status) {
  const std::string token = field(request.fields, "t");
  const command::Answer answer = co_await services::look_at_link(backend, LinkFor::reset, token);
  if (!answer.frame().has_error())
    show(request, set_page(answer.secret_state(), token, backend.limits(), error, status));
  else if (is_void(answer.frame().error()))
    show(request, link_is_void(kAskAgain));
  else
    show(request, {status_of(answer.frame().error()), "Not now", paragraph(busy_text(answer.frame().error())), ""});
  co_return true;
}

Task<bool> set_password(chat::Backend& backend, Request request) {
  const std::string token = field(request.fields, "t"), password = field(request.fields, "password");
  const command::Answer owner = co_await services::look_at_link(backend, LinkFor::reset, token);
  if (owner.frame().has_error()) {
    const bool shown = co_await show_set_form(backend, request, "", 200);
    co_return shown;
  }
  const command::SecretState& state = owner.secret_state();
  if (const auto bad = complaint_about_password(password, state.username(), backend.limits())) {
    show(request, set_page(state, token, backend.limits(), *bad, 422));
    co_return true;
  }
  services::NewPassword wish{password, audited_peer(request, backend)};
  const v1::ServerFrame frame = co_await services::use_reset_link(backend, token, std::move(wish));
  if (!frame.has_error())
    show(request, changed_page());
  else if (is_void(frame.error()))
    show(request, link_is_void(kAskAgain));
  else
    show(request, set_page(state, token, backend.limits(), busy_text(frame.error()), status_of(frame.error())));
  co_return true;
}

// ------------------------------------------------------------------------------------------------ verifying

Page verify_page(const command::SecretState& owner, const std::string& token) {
  return {
      200, "Is this address yours?",
      paragraph("<strong>" + escape_html(owner.address()) + "</strong> was given for the account <strong>" +
                escape_html(owner.username()) + "</strong>.") +
          "<form method=\"post\" action=\"/verify\">\n<input type=\"hidden\" name=\"t\" value=\"" + escape_html(token) +
          "\">\n<button type=\"submit\" autofocus>Yes, it is mine</button>\n</form>\n"
          "<p class=\"more\">If you know nothing of this account, close this page. Without your answer the address is "
          "not used.</p>",
      ""};
}

Task<bool> show_verification(chat::Backend& backend, Request request) {
  const std::string token = field(request.fields, "t");
  const command::Answer answer = co_await services::look_at_link(backend, LinkFor::verification, token);
  if (!answer.frame().has_error())
    show(request, verify_page(answer.secret_state(), token));
  else if (is_void(answer.frame().error()))
    show(request, link_is_void(kResendInApp));
  else
    show(request, {503, "Not now", paragraph(busy_text(answer.frame().error())), ""});
  co_return true;
}

Task<bool> verify(chat::Backend& backend, Request request) {
  const v1::ServerFrame frame = co_await services::use_verification_link(backend, field(request.fields, "t"));
  if (!frame.has_error())
    show(request, {200, "Thank you",
                   paragraph("Your address is verified. If you ever forget your password, a link to set a new one is "
                             "mailed there."),
                   ""});
  else if (is_void(frame.error()))
    show(request, link_is_void(kResendInApp));
  else
    show(request, {503, "Not now", paragraph(busy_text(frame.error())), ""});
  co_return true;
}

// ------------------------------------------------------------------------------------------------ a one-time code

Page recover_page(const chat::Limits& limits, const Fields& given = {}, const std::string& error = {},
                  unsigned status = 200) {
  return {
      status, "Use a one-time code",
      paragraph("The people who run this service can give you a code that lets you set a new password, once.") +
          "<form method=\"post\" action=\"/recover\">\n" + error_box(error) +
          "<label for=\"username\">Your name</label>\n"
          "<input type=\"text\" id=\"username\" name=\"username\" autocomplete=\"username\" autocapitalize=\"none\" "
          "spellcheck=\"false\" required maxlength=\"64\" autofocus value=\"" +
          escape_html(field(given, "username")) +
          "\">\n<label for=\"code\">Code</label>\n"
          "<input type=\"text\" class=\"code\" id=\"code\" name=\"code\" autocomplete=\"one-time-code\" "
          "spellcheck=\"false\" required maxlength=\"40\" value=\"" +
          escape_html(field(given, "code")) + "\">\n" + password_field(limits, error, false) +
          "<button type=\"submit\">Set the password</button>\n</form>\n"
          "<p class=\"more\">All your devices are logged out by this.</p>",
      ""};
}

Task<bool> recover(chat::Backend& backend, Request request) {
  const chat::Limits& limits = backend.limits();
  const std::string username = trimmed(field(request.fields, "username")),
                    code = trimmed(field(request.fields, "code"));
  const std::string password = field(request.fields, "password");
  const char* kWrong = "The name or the code is not right, or the code was used already or is too old.";
  if (chat::bad_username(username, limits) || code.empty()) {
    show(request, recover_page(limits, request.fields, kWrong, 422));
    co_return true;
  }
  if (const auto bad = complaint_about_password(password, username, limits)) {
    show(request, recover_page(limits, request.fields, *bad, 422));
    co_return true;
  }
  if (!backend.admit_stranger()) {
    show(request, recover_page(limits, request.fields,
                               "Too many people are asking at this moment. Please try again in a "
                               "minute.",
                               429));
    co_return true;
  }
  services::NewPassword wish{password, audited_peer(request, backend)};
  const v1::ServerFrame frame = co_await services::use_recovery_code(backend, username, code, std::move(wish));
  if (!frame.has_error())
    show(request, changed_page());
  else if (is_void(frame.error()))
    show(request, recover_page(limits, request.fields, kWrong, 422));
  else
    show(request, recover_page(limits, request.fields, busy_text(frame.error()), status_of(frame.error())));
  co_return true;
}

// ------------------------------------------------------------------------------------------------ which page

void nobody_waits(bool) {}

bool is_off(const chat::Backend& backend, const Request& request) {
  return request.path == "/reset" && !backend.limits().resets_enabled;
}

Page off_page() {
  return {
      404, "Not here",
      paragraph("Passwords are not reset by mail here. The people who run this service can give you a one-time code.") +
          "<p class=\"more\"><a href=\"/recover\">Use a one-time code</a></p>",
      ""};
}

void get(chat::Backend& backend, Request request) {
  if (is_off(backend, request)) return show(request, off_page());
  const bool has_token = request.fields.contains("t");
  if (request.path == "/verify") return run_task(show_verification(backend, std::move(request)), nobody_waits);
  if (request.path == "/recover") return show(request, recover_page(backend.limits()));
  if (!has_token) return show(request, ask_page());
  run_task(show_set_form(backend, std::move(request), "", 200), nobody_waits);
}

void post(chat::Backend& backend, Request request) {
  if (is_off(backend, request)) return show(request, off_page());
  const bool has_token = request.fields.contains("t");
  if (request.path == "/verify") return run_task(verify(backend, std::move(request)), nobody_waits);
  if (request.path == "/recover") return run_task(recover(backend, std::move(request)), nobody_waits);
  if (!has_token) return ask(request, backend);
  run_task(set_password(backend, std::move(request)), nobody_waits);
}

/// "192.0.2.7:4711" or "[2001:db8::7]:4711", without the port.
std::string address_of(const std::string& remote) {
  std::string address = remote.substr(0, remote.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return address;
}

/// What stands against the request as it is, before anybody is asked.
std::optional<Page> refusal(const HttpRequest& request, const std::string& base_url) {
  if (request.method == "GET") return std::nullopt;
  if (request.method != "POST") return Page{405, "Not like this", paragraph("Only GET and POST."), ""};
  if (request.body.size() > kBodyBytesMax) return Page{413, "Too much", paragraph("That is more than a form has."), ""};
  if (is_from_here(request, base_url)) return std::nullopt;
  return Page{
      403, "This form was sent from elsewhere",
      paragraph("For your safety it is taken from its own page only. Open the page again and fill it in there."), ""};
}

}  // namespace

UserPages account_pages(AccountParts parts) {
  return [parts = std::move(parts)](const HttpRequest& http, const HttpReply& reply) {
    const std::string path(http.path());
    if (path != "/reset" && path != "/verify" && path != "/recover") return false;
    if (const auto refused = refusal(http, parts.base_url())) {
      HttpResponse response = html_page(*refused);
      if (refused->status == 405) response.headers.emplace_back("allow", "GET, HEAD, POST");
      reply(std::move(response));
      return true;
    }
    auto fields = parse_fields(http.method == "POST" ? std::string_view(http.body) : http.query());
    if (!fields || field(*fields, "t").size() > kTokenCharactersMax) {
      reply(html_page(
          {400, "That can't be read", paragraph("The link or the form is damaged. Copy it as a whole."), ""}));
      return true;
    }
    Request request{path, std::move(*fields), address_of(http.remote), reply};
    const bool is_post = http.method == "POST";
    parts.on_backend([request = std::move(request), is_post](chat::Backend& backend) {
      return is_post ? post(backend, request) : get(backend, request);
    });
    return true;
  };
}

}  // namespace holdfast::http
