#include "tests/integration/load_run.h"

#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <catch2/catch.hpp>

namespace holdfast::testing {

double LoadRun::number(const std::string& key) const {
  INFO(key);
  REQUIRE(json.contains(key));
  REQUIRE(json.at(key).is_number());
  return boost::json::value_to<double>(json.at(key));
}

double LoadRun::number(const std::string& times, const std::string& key) const {
  INFO(times << "." << key);
  REQUIRE(json.contains(times));
  REQUIRE(json.at(times).is_object());
  return boost::json::value_to<double>(json.at(times).at(key));
}

LoadRun run_load(const ServerProcess& server, std::vector<std::string> arguments) {
  ScratchFolder folder;
  const std::string json = (folder.path() / "figures.json").string(), page = (folder.path() / "page.html").string();
  std::vector<std::string> command = {program("holdfast-load")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  for (const std::string& more :
       {std::string("-s"), "127.0.0.1:" + std::to_string(server.port()), std::string("--operator-key"),
        (server.data() / "operator.key").string(), std::string("--json"), json, std::string("--report"), page})
    command.push_back(more);
  LoadRun run;
  run.ended = run_program(command);
  if (const std::string text = contents_of(json); !text.empty()) run.json = boost::json::parse(text).as_object();
  run.page = contents_of(page);
  return run;
}

void check_well(const LoadRun& run) {
  INFO(run.ended.out << run.ended.err);
  REQUIRE(run.ended.exit_code == 0);
  CHECK(run.json.at("good").as_bool());
  for (const char* none : {"lost", "duplicated", "out_of_order", "unacknowledged", "errors"})
    CHECK(run.number(none) == 0);
  CHECK(run.page.starts_with("<!doctype html>"));
}

}  // namespace holdfast::testing
