#include "server/answers_by_mail.h"

#include "server/lmtp/auto_mail.h"
#include "server/mail/mail_config.h"
#include "server/services/flows_reply.h"

namespace holdfast {
namespace {

/// The listener's ids are bytes; they came from us, so they have their length.
services::ReplyTo reply_to(const lmtp::ReplyTarget& target) {
  const auto user = UserId::from_bytes(target.user);
  const auto conversation = ConversationId::from_bytes(target.conversation);
  HF_CHECK(user && conversation, "whom we found has ids");
  return {*user, *conversation, target.found_by};
}

}  // namespace

lmtp::Parts answer_parts(OnBackend on_backend) {
  lmtp::Parts parts;
  parts.find = [on_backend](lmtp::ReplyToken token, std::function<void(Result<lmtp::ReplyTarget>)> then) {
    on_backend([token = std::move(token), then = std::move(then)](chat::Backend& backend) {
      run_task(services::find_reply(backend, token.partition, std::string(token.secret.begin(), token.secret.end())),
               [then](const Result<services::ReplyTo>& found) {
                 if (!found) return then(found.error());
                 then(lmtp::ReplyTarget{found->user.str(), found->conversation.str(), found->hash});
               });
    });
  };
  parts.post = [on_backend](const lmtp::ReplyTarget& target, std::string message_id, std::string text,
                            std::function<void(Status)> then) {
    on_backend([to = reply_to(target), message_id = std::move(message_id), text = std::move(text),
                then = std::move(then)](chat::Backend& backend) {
      run_task(services::post_reply(backend, to, message_id, text), then);
    });
  };
  return parts;
}

lmtp::LmtpServerOptions answer_options(const Config& config) {
  lmtp::LmtpServerOptions options;
  options.session.reply_domain = config.lmtp.domain;
  options.session.host_name = mail::message_domain(config.mail);
  options.session.message_bytes_max = config.lmtp.message_bytes_max;
  options.session.text_bytes_max = config.limits.body_bytes_max;
  options.session.automatic.is_own_message_id = lmtp::own_message_ids(mail::message_domain(config.mail));
  return options;
}

}  // namespace holdfast
