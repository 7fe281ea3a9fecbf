#include "server/mail_seams.h"

#include "base/check.h"
#include "base/seam.h"
#include "proto/state.pb.h"
#include "server/mail/seams.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

namespace seams = mail::seams;

bool is_put_of(keys::Family family, const log::Write& write) {
  const auto key = keys::decode(write.key());
  return key && key->family == family && write.has_put();
}

bool is_new_intent(const log::Write& write) {
  if (!is_put_of(keys::Family::intent, write)) return false;
  state::Intent intent;
  HF_CHECK(intent.ParseFromString(write.put()), "a written row parses");
  return !intent.begun();
}

}  // namespace

void pass_mail_seams(const log::Entry& entry) {
  for (const log::Write& write : entry.writes()) {
    if (is_put_of(keys::Family::missed, write)) pass_seam(seams::kArmed);
    if (is_new_intent(write)) pass_seam(seams::kDecided);
  }
  for (const log::Event& event : entry.events())
    if (event.has_intent_ended() && event.intent_ended().outcome() == log::IntentEnded::DONE) pass_seam(seams::kEnded);
}

}  // namespace holdfast
