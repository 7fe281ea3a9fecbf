#include "server/services/flows_wave.h"

#include <map>

#include "server/chat/ask_all.h"
#include "server/chat/placement.h"

namespace holdfast::services {
namespace {

using chat::FlowRequest;
using chat::Question;
using chat::RequestOutcome;

constexpr int kUsersOfARequestMax = 500;
constexpr std::size_t kReasonBytesMax = 1024;
constexpr std::uint32_t kPerMinute = 600, kPerMinuteMax = 60'000;
constexpr std::size_t kIdBytes = 16;

std::optional<RequestOutcome> bad_wave(const FlowRequest& request) {
  const v1::StartResetWave& wish = request.frame.start_reset_wave();
  if (wish.wave().size() != kIdBytes) return chat::failed(v1::INVALID_ARGUMENT, "wave: an id has 16 bytes");
  if (wish.usernames_size() > kUsersOfARequestMax) return chat::failed(v1::TOO_LARGE, "usernames: at most 500");
  if (wish.per_minute() > kPerMinuteMax) return chat::failed(v1::INVALID_ARGUMENT, "per_minute: at most 60,000");
  if (wish.usernames_size() == 0 && !wish.everybody())
    return chat::failed(v1::INVALID_ARGUMENT, "usernames, or everybody: whom is the wave for?");
  for (const std::string& name : wish.usernames())
    if (const auto bad = chat::first_complaint({chat::bad_username(name, request.backend.limits())}))
      return chat::outcome(*bad);
  if (const auto bad = chat::first_complaint({chat::bad_text("reason", wish.reason(), kReasonBytesMax)}))
    return chat::outcome(*bad);
  return std::nullopt;
}

command::Command starting(const FlowRequest& request) {
  const v1::StartResetWave& wish = request.frame.start_reset_wave();
  command::Command command;
  command::StartWave& start = *command.mutable_start_wave();
  start.set_wave(wish.wave());
  start.set_since_ms(wish.since_ms());
  start.set_per_minute(wish.per_minute() == 0 ? kPerMinute : wish.per_minute());
  start.set_reason(wish.reason());
  start.set_peer(request.audited_peer());
  start.set_dry_run(wish.dry_run());
  return command;
}

std::vector<Question> for_named(const FlowRequest& request) {
  std::map<PartitionId, Question> questions;
  for (const std::string& name : request.frame.start_reset_wave().usernames()) {
    const PartitionId partition = chat::partition_of_name(name, request.backend.partitions());
    const auto [at, fresh] = questions.try_emplace(partition, Question{partition, {}});
    if (fresh) at->second.command = starting(request);
    at->second.command.mutable_start_wave()->add_usernames(name);
  }
  std::vector<Question> all;
  for (auto& [partition, question] : questions) all.push_back(std::move(question));
  return all;
}

std::vector<Question> for_all(const FlowRequest& request, const command::Command& command) {
  std::vector<Question> all;
  for (std::uint16_t p = 0; p < request.backend.partitions(); ++p) all.push_back({PartitionId(p), command});
  return all;
}

/// Nothing if a partition has no answer: then its error.
std::optional<v1::Error> add(const std::vector<command::Answer>& answers, v1::ResetWaveReply& reply) {
  for (const command::Answer& answer : answers) {
    if (answer.frame().has_error()) return answer.frame().error();
    const command::WaveState& state = answer.wave_state();
    reply.set_seen(reply.seen() + state.seen());
    reply.set_mailed(reply.mailed() + state.mailed());
    reply.set_unreachable(reply.unreachable() + state.unreachable());
    reply.set_over(reply.over() && state.over());
    for (const std::string& name : state.unknown()) reply.add_unknown(name);
  }
  return std::nullopt;
}

RequestOutcome summed(const std::vector<command::Answer>& answers) {
  RequestOutcome outcome;
  v1::ResetWaveReply& reply = *outcome.frame.mutable_reset_wave();
  reply.set_over(true);
  if (const auto error = add(answers, reply)) return chat::outcome(*error);
  return outcome;
}

/// What the wave would find, stretch after stretch, in all partitions at the same time.
Task<RequestOutcome> look_ahead(FlowRequest request) {
  RequestOutcome outcome;
  v1::ResetWaveReply& reply = *outcome.frame.mutable_reset_wave();
  command::Command first;
  first.mutable_show_wave()->set_dry_run(true);
  first.mutable_show_wave()->set_since_ms(request.frame.start_reset_wave().since_ms());
  std::vector<Question> questions = for_all(request, first);
  while (!questions.empty()) {
    const std::vector<Question> asked = questions;
    auto asking = chat::asking_all(request.backend, std::move(questions));
    const std::vector<command::Answer> answers = co_await asking;
    if (const auto error = add(answers, reply)) co_return chat::outcome(*error);
    questions = {};
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].wave_state().over()) continue;
      questions.push_back(asked[i]);
      questions.back().command.mutable_show_wave()->set_from(answers[i].wave_state().next_from());
    }
  }
  reply.set_over(true);
  co_return outcome;
}

}  // namespace

Task<RequestOutcome> start_reset_wave(FlowRequest request) {
  if (auto bad = bad_wave(request)) co_return std::move(*bad);
  const v1::StartResetWave& wish = request.frame.start_reset_wave();
  if (wish.usernames_size() == 0 && wish.dry_run()) {
    RequestOutcome found = co_await look_ahead(request);
    co_return found;
  }
  std::vector<Question> questions =
      wish.usernames_size() > 0 ? for_named(request) : for_all(request, starting(request));
  auto asking = chat::asking_all(request.backend, std::move(questions));
  const std::vector<command::Answer> answers = co_await asking;
  co_return summed(answers);
}

Task<RequestOutcome> get_reset_wave(FlowRequest request) {
  command::Command command;
  command.mutable_show_wave()->set_wave(request.frame.get_reset_wave().wave());
  std::vector<Question> questions = for_all(request, command);
  auto asking = chat::asking_all(request.backend, std::move(questions));
  const std::vector<command::Answer> answers = co_await asking;
  co_return summed(answers);
}

}  // namespace holdfast::services
