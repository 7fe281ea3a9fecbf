#include "server/mail/smtp_client.h"

#include <curl/curl.h>

#include <array>
#include <cstring>

#include "server/mail/smtp_dialogue.h"

namespace holdfast::mail {
namespace {

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// An option that our libcurl does not take is a bug of ours.
template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  HF_CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK, "libcurl takes the option");
}

void prepare_library() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  HF_CHECK(ready == CURLE_OK, "libcurl starts");
}

/// The path of an SMTP URL is what libcurl calls itself in EHLO.
std::string url_of(const Relay& relay, const std::string& helo) {
  return (relay.security == Security::tls ? "smtps://" : "smtp://") + relay.name() + "/" + helo;
}

}  // namespace

/// One mail on its way: what libcurl's callbacks read and write.
class SmtpClient::Exchange {
 public:
  Exchange(CURL* curl, const std::string& text, const std::atomic<bool>& give_up) : text_(text), give_up_(give_up) {
    set(curl, CURLOPT_UPLOAD, 1L);
    set(curl, CURLOPT_READFUNCTION, &Exchange::on_read);
    set(curl, CURLOPT_READDATA, static_cast<void*>(this));
    set(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(text.size()));
    set(curl, CURLOPT_VERBOSE, 1L);  // without it the next one is not called
    set(curl, CURLOPT_DEBUGFUNCTION, &Exchange::on_talk);
    set(curl, CURLOPT_DEBUGDATA, static_cast<void*>(this));
    set(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_write);
    set(curl, CURLOPT_NOPROGRESS, 0L);
    set(curl, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
    set(curl, CURLOPT_XFERINFODATA, static_cast<void*>(this));
  }

  const SmtpDialogue& dialogue() const { return dialogue_; }

 private:
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
    auto& me = *static_cast<Exchange*>(self);
    const std::size_t some = std::min(size * count, me.text_.size() - me.taken_);
    std::memcpy(buffer, me.text_.data() + me.taken_, some);
    me.taken_ += some;
    // Once libcurl has the last byte it sends the final dot along with it.
    if (me.taken_ == me.text_.size()) me.dialogue_.said_all();
    return some;
  }
  static int on_talk(CURL*, curl_infotype kind, char* data, std::size_t size, void* self) {
    auto& me = *static_cast<Exchange*>(self);
    if (kind == CURLINFO_HEADER_OUT) me.dialogue_.said({data, size});
    if (kind == CURLINFO_HEADER_IN) me.dialogue_.heard({data, size});
    return 0;
  }
  static std::size_t on_write(char*, std::size_t size, std::size_t count, void*) { return size * count; }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->give_up_.load() ? 1 : 0;
  }

  const std::string& text_;
  const std::atomic<bool>& give_up_;
  std::size_t taken_ = 0;
  SmtpDialogue dialogue_;
};

SmtpClient::SmtpClient(SmtpClientOptions options, const std::atomic<bool>& give_up)
    : options_(std::move(options)), give_up_(give_up) {
  prepare_library();
  curl_ = curl_easy_init();
  HF_CHECK(curl_ != nullptr, "libcurl has memory for a handle");
}

SmtpClient::~SmtpClient() { curl_easy_cleanup(curl_); }

Attempt SmtpClient::offer(const Relay& relay, const Mail& mail) {
  bool was_reused = false;
  Attempt attempt = offer_once(relay, mail, false, was_reused);
  // A kept connection may have died meanwhile, which says nothing about the relay.
  if (attempt.was_unreachable && was_reused) attempt = offer_once(relay, mail, true, was_reused);
  return attempt;
}

Attempt SmtpClient::offer_once(const Relay& relay, const Mail& mail, bool fresh, bool& was_reused) {
  curl_easy_reset(curl_);  // keeps the connections
  std::array<char, CURL_ERROR_SIZE> trouble{};
  const std::string url = url_of(relay, options_.helo), from = "<" + mail.from.str() + ">";
  const std::string to = "<" + mail.to.str() + ">";
  const std::unique_ptr<curl_slist, ListDeleter> recipients(curl_slist_append(nullptr, to.c_str()));
  set(curl_, CURLOPT_URL, url.c_str());
  set(curl_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(curl_, CURLOPT_PROXY, "");  // whatever the environment says
  set(curl_, CURLOPT_NOSIGNAL, 1L);
  set(curl_, CURLOPT_ERRORBUFFER, trouble.data());
  set(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(options_.timeout).count()));
  set(curl_, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  set(curl_, CURLOPT_USE_SSL, static_cast<long>(relay.security == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  set(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) set(curl_, CURLOPT_CAINFO, options_.ca_file.c_str());
  if (!relay.user.empty()) {
    set(curl_, CURLOPT_USERNAME, relay.user.c_str());
    set(curl_, CURLOPT_PASSWORD, relay.password.c_str());
  }
  set(curl_, CURLOPT_MAIL_FROM, from.c_str());
  set(curl_, CURLOPT_MAIL_RCPT, recipients.get());
  const Exchange exchange(curl_, mail.text, give_up_);

  const CURLcode code = curl_easy_perform(curl_);
  long connects = 0;
  curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &connects);
  was_reused = connects == 0;
  const SmtpDialogue& dialogue = exchange.dialogue();
  if (code == CURLE_OK) return {dialogue.success()};
  const Sent sent = dialogue.verdict(trouble[0] != 0 ? trouble.data() : curl_easy_strerror(code), mail.to.str());
  const bool elsewhere = sent.outcome == Outcome::later && !dialogue.is_in_doubt() && !give_up_.load();
  return {sent, elsewhere, !dialogue.heard_anything()};
}

}  // namespace holdfast::mail
