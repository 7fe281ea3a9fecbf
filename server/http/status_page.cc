#include "server/http/status_page.h"

#include "server/http/html.h"

#include <ctime>

namespace holdfast::http {
namespace {

constexpr std::int64_t kStaleAfter_ms = 15'000;

std::string in_utc(std::int64_t time_ms, const char* format) {
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64] = {};
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::string when(std::int64_t time_ms) {
  return "<time datetime=\"" + in_utc(time_ms, "%Y-%m-%dT%H:%M:%SZ") + "\">" + in_utc(time_ms, "%Y-%m-%d %H:%M UTC") +
         "</time>";
}

std::string notes_of(const StatusFigures::Incident& incident) {
  std::string out = "<ol>\n";
  for (auto note = incident.notes.rbegin(); note != incident.notes.rend(); ++note)
    out += "<li>" + when(note->time_ms) + "<br>" + escape_html(note->text) + "</li>\n";
  return out + "</ol>\n";
}

const StatusFigures::Incident* open_one(const StatusFigures& figures) {
  if (figures.incidents.empty() || figures.incidents.back().until_ms != 0) return nullptr;
  return &figures.incidents.back();
}

std::string state_of(const StatusFigures& figures) {
  if (open_one(figures) != nullptr) return "<p><span class=\"state down\">There is a disturbance</span></p>\n";
  if (figures.unserved > 0) return "<p><span class=\"state down\">A part of the service is interrupted</span></p>\n";
  if (!figures.read_ms) return "<p><span class=\"state down\">Not known at present</span></p>\n";
  return "<p><span class=\"state up\">All is well</span></p>\n";
}

/// What this node can and can't say.
std::string caveats_of(const StatusFigures& figures) {
  std::string out;
  if (figures.unserved > 0)
    out += "<p>" + std::to_string(figures.unserved) + " of " + std::to_string(figures.partitions) +
           " parts of the service have no server at this moment. Who lives there can’t be reached for now; nothing "
           "that was acknowledged is lost.</p>\n";
  if (!figures.read_ms)
    out += "<p>What was said about disturbances can’t be read at present.</p>\n";
  else if (figures.now_ms - *figures.read_ms > kStaleAfter_ms)
    out += "<p>What was said about disturbances can’t be read at present; this is as of " + when(*figures.read_ms) +
           ".</p>\n";
  return out;
}

std::string history_of(const StatusFigures& figures) {
  std::string out;
  for (auto one = figures.incidents.rbegin(); one != figures.incidents.rend(); ++one) {
    if (one->until_ms == 0) continue;
    out += "<section>\n<h3>" + when(one->since_ms) + " to " + when(one->until_ms) + "</h3>\n" + notes_of(*one) +
           "</section>\n";
  }
  return out.empty() ? out : "<h2>Earlier</h2>\n" + out;
}

}  // namespace

std::string status_page(const StatusFigures& figures) {
  std::string out = state_of(figures) + caveats_of(figures);
  if (const auto* open = open_one(figures)) out += "<h2>Since " + when(open->since_ms) + "</h2>\n" + notes_of(*open);
  return out + history_of(figures);
}

UserPages status_pages(std::function<StatusFigures()> figures) {
  return [figures = std::move(figures)](const HttpRequest& request, const HttpReply& reply) {
    if (request.path() != "/status" || request.method != "GET") return false;
    reply(html_page({200, "Status", status_page(figures()), ""}));
    return true;
  };
}

}  // namespace holdfast::http
