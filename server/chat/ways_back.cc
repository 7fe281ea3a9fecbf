#include "server/chat/ways_back.h"

#include "storage/keys.h"

namespace holdfast::chat {

void void_ways_back(const UserId& user, View& view, Draft& draft) {
  auto secrets = view.get<state::Secrets>(keys::secrets(user));
  if (!secrets || (!secrets->has_reset() && !secrets->has_recovery())) return;
  if (secrets->has_reset()) secrets->set_spent(secrets->reset().intent());
  secrets->clear_reset();
  secrets->clear_recovery();
  draft.put(keys::secrets(user), *secrets);
}

}  // namespace holdfast::chat
