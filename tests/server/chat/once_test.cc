#include "server/chat/once.h"

#include <catch2/catch.hpp>

#include "storage/keys.h"
#include "tests/support/rule_fixture.h"

using namespace holdfast;
using namespace holdfast::chat;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

int g_runs = 0;
void counting_rule(const Context&, const command::Command&, View&, Draft& draft) {
  draft.frame().mutable_change()->set_number(static_cast<std::uint64_t>(++g_runs));
  draft.put("k", "v");
}
void silent_rule(const Context&, const command::Command&, View&, Draft&) {}
void refusing_rule(const Context&, const command::Command&, View&, Draft& draft) {
  draft.put("k", "v");
  draft.refuse(v1::PERMISSION_DENIED, "no");
}

struct Once {
  Limits limits;
  WallTime now = from_ms(1'700'000'000'000);
  SeededRandom random{5};
  UserId user = random.id<UserId>();
  RowMap rows;

  command::Command command(const RequestId& id) const {
    command::Command command;
    command.set_user(user.str());
    command.set_idempotency_id(id.str());
    return command;
  }
  Draft run(const command::Command& command, Rule rule) {
    MapView view(rows, nullptr);
    Draft draft;
    once({now, PartitionId(0), 1, limits}, command, user.bytes(), view, draft, rule);
    for (const log::Write& write : draft.writes) rows[write.key()] = write.put();
    return draft;
  }
  v1::ErrorCode refusal(WallTime made) {
    return code_of(run(command(make_uuid7(made, random)), counting_rule).answer());
  }
};

}  // namespace

TEST_CASE("once: the same id gives the same answer and writes nothing again, for this user and scope only") {
  Once o;
  g_runs = 0;
  const RequestId id = make_uuid7(o.now, o.random);
  CHECK(o.run(o.command(id), counting_rule).frame().change().number() == 1);
  Draft again = o.run(o.command(id), counting_rule);
  CHECK(again.frame().change().number() == 1);
  CHECK(again.writes.empty());
  CHECK(g_runs == 1);
  o.user = o.random.id<UserId>();
  CHECK(o.run(o.command(id), counting_rule).frame().change().number() == 2);
}

TEST_CASE("once: a refusal is not kept, an answer without content is Done") {
  Once o;
  const RequestId id = make_uuid7(o.now, o.random);
  CHECK(o.run(o.command(id), refusing_rule).refused());
  CHECK(o.rows.empty());
  CHECK(o.run(o.command(id), silent_rule).frame().has_done());
  CHECK(o.run(o.command(id), refusing_rule).frame().has_done());
}

TEST_CASE("once: ids are UUIDv7s of the last seven days, by log time") {
  Once o;
  CHECK(o.refusal(o.now - hours(7 * 24)) == v1::ERROR_UNSPECIFIED);
  CHECK(o.refusal(o.now - hours(7 * 24) - minutes(1)) == v1::STALE_ID);
  CHECK(o.refusal(o.now + minutes(10)) == v1::ERROR_UNSPECIFIED);
  CHECK(o.refusal(o.now + minutes(11)) == v1::INVALID_ARGUMENT);
  command::Command bad = o.command(o.random.id<RequestId>());
  bad.set_idempotency_id(std::string(16, '\0'));
  CHECK(code_of(o.run(bad, counting_rule).answer()) == v1::INVALID_ARGUMENT);
  bad.set_idempotency_id("short");
  CHECK(code_of(o.run(bad, counting_rule).answer()) == v1::INVALID_ARGUMENT);
}
