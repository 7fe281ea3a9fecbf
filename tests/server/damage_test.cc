#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "server/damage.h"

using namespace holdfast;
using Catch::Matchers::Contains;

TEST_CASE("Damage: the place is named, and what to do, which is another thing for a node that is alone") {
  const Error error{Errc::corrupt, "entry 17 of partition 3 is damaged: its chain value differs"};
  CHECK_THAT(describe_damage(error, true), Contains("entry 17 of partition 3") && Contains("start with an empty one"));
  CHECK_THAT(describe_damage(error, false),
             Contains("entry 17 of partition 3") && Contains("restore a backup") && !Contains("empty one"));
}

TEST_CASE("Damage: the process ends with 70 and has said which place it was") {
  int out[2];
  REQUIRE(::pipe(out) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    end_for_damage({Errc::corrupt, "entry 17 of partition 3 is damaged"}, true);
  }
  ::close(out[1]);
  std::string said;
  char buffer[1024];
  for (ssize_t got; (got = ::read(out[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<std::size_t>(got));
  ::close(out[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 70);
  CHECK_THAT(said, Contains("entry 17 of partition 3 is damaged"));
}
