// links: clients_cpp server_services server_chat
// sources: tests/fuzz/world.cc tests/support/fake_backend.cc tests/support/rule_fixture.cc
// Whatever a client asks is answered once, by something typed that fits into a frame; refusals and reads write nothing
// (the fixture checks that); and what is asked twice under one id is answered alike.
//
//     input   = *request
//     request = who length:2 frame     ; who: see World::caller(); frame: a ClientFrame, shortened as World says
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tests/fuzz/world.h"

namespace holdfast {
namespace {

/// The answers of these say what is so by now, or hold what is made anew each time.
bool repeats_alike(const v1::ClientFrame& frame) {
  return frame.has_post() || frame.has_edit() || frame.has_react() || frame.has_delete_() || frame.has_create_group() ||
         frame.has_add_members() || frame.has_rename_group() || frame.has_leave() || frame.has_set_role() ||
         frame.has_remove_member() || frame.has_block_user();
}

void ask(fuzz::World& world, std::uint8_t who, std::string_view bytes) {
  v1::ClientFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  world.expand(frame);
  const auto caller = world.caller(who);
  const auto first = world.backend().run(caller, frame);
  fuzz::check_answer(first.frame);
  HF_CHECK(first.frame.request_id() == frame.request_id(), "an answer names its request");
  HF_CHECK(!first.logged_in || first.frame.has_session(), "who is logged in is told so");
  if (!repeats_alike(frame) || first.frame.has_error()) return;
  const auto again = world.backend().run(caller, frame);
  HF_CHECK(first.frame.SerializeAsString() == again.frame.SerializeAsString(), "asked twice, answered alike");
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 3;
  holdfast::fuzz::World world;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= kHead) {
    const auto who = static_cast<std::uint8_t>(rest[0]);
    const std::size_t length = static_cast<std::uint8_t>(rest[1]) << 8 | static_cast<std::uint8_t>(rest[2]);
    rest.remove_prefix(kHead);
    const auto frame = rest.substr(0, std::min(length, rest.size()));
    rest.remove_prefix(frame.size());
    holdfast::ask(world, who, frame);
  }
  return 0;
}
