#include "tools/holdfast-chaos/mail_notes.h"

#include <algorithm>

namespace holdfast::chaos {

void note_mails(const std::vector<OfferedMail>& offered, MailHistory& history) {
  for (const OfferedMail& one : offered) {
    if (!one.text) {
      history.strange.push_back("a mail can't be read: " + one.text.error().message);
      continue;
    }
    const auto reader = std::ranges::find(history.readers, one.text->address, &Reader::address);
    if (reader == history.readers.end()) {
      history.strange.push_back("mail " + one.text->id + " is for nobody that was made here");
    } else if (one.text->letters.empty()) {
      ++history.other_mails;
    } else {
      const auto index = static_cast<std::uint32_t>(reader - history.readers.begin());
      history.mails.push_back(
          {one.offered, one.taken, one.refused, one.text->id, index, one.text->letters, one.text->more});
    }
  }
}

}  // namespace holdfast::chaos
