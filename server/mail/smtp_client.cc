#include "server/mail/smtp_client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "base/seam.h"
#include "base/time.h"
#include "server/mail/seams.h"
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

/// One mail on its way: what libcurl's callbacks read and write. The handle forgets it, and all else that was set, when it
/// ends; it keeps its connections.
class SmtpClient::Exchange {
 public:
  Exchange(CURL* curl, const std::string& text, SteadyTime deadline, const std::atomic<bool>& give_up)
      : curl_(curl), text_(text), deadline_(deadline), give_up_(give_up) {
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

  ~Exchange() { curl_easy_reset(curl_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const SmtpDialogue& dialogue() const { return dialogue_; }
  bool is_late() const { return steady_now() >= deadline_; }

 private:
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
    auto& me = *static_cast<Exchange*>(self);
    pass_seam(seams::kData);
    const std::size_t some = std::min(size * count, me.text_.size() - me.taken_);
    me.text_.copy(buffer, some, me.taken_);
    me.taken_ += some;
    // Once libcurl has the last byte it sends the final dot along with it.
    if (me.taken_ == me.text_.size()) me.dialogue_.said_all();
    return some;
  }
  static int on_talk(CURL*, curl_infotype kind, char* data, std::size_t size, void* self) {
    auto& me = *static_cast<Exchange*>(self);
    if (kind == CURLINFO_HEADER_OUT) me.dialogue_.said({data, size});
    if (kind == CURLINFO_HEADER_IN && me.taken_ == me.text_.size()) pass_seam(seams::kAccepted);
    if (kind == CURLINFO_HEADER_IN) me.dialogue_.heard({data, size});
    return 0;
  }
  static std::size_t on_write(char*, std::size_t size, std::size_t count, void*) { return size * count; }
  /// libcurl's own time-out does not count while it waits for the reply to the final dot, or to its QUIT.
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& me = *static_cast<Exchange*>(self);
    return me.give_up_.load() || me.is_late() ? 1 : 0;
  }

  CURL* const curl_;
  const std::string& text_;
  const SteadyTime deadline_;
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

/// libcurl would wait for the reply to its QUIT for two minutes at each connection.
SmtpClient::~SmtpClient() {
  for (const int socket : sockets_) ::shutdown(socket, SHUT_RD);
  curl_easy_cleanup(curl_);
}

/// A connection on which something went wrong must not be used again: libcurl keeps one whose last reply is still to
/// come, and would take that for the reply to the next mail.
void SmtpClient::spoil_connection() {
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
    ::shutdown(socket, SHUT_RDWR);
}

int SmtpClient::open_socket(void* self, void* address) {
  const auto& where = *static_cast<curl_sockaddr*>(address);
  const int socket = ::socket(where.family, where.socktype | SOCK_CLOEXEC, where.protocol);
  if (socket >= 0) static_cast<SmtpClient*>(self)->sockets_.insert(socket);
  return socket;
}

int SmtpClient::close_socket(void* self, int socket) {
  static_cast<SmtpClient*>(self)->sockets_.erase(socket);
  return ::close(socket);
}

Attempt SmtpClient::offer(const Relay& relay, const Mail& mail) {
  bool was_reused = false;
  Attempt attempt = offer_once(relay, mail, false, was_reused);
  // A kept connection may have died, or be closed for want of mails (421), which says nothing about the relay.
  const bool was_stale = attempt.was_unreachable || attempt.sent.code == 421;
  if (was_reused && was_stale && attempt.may_go_elsewhere) attempt = offer_once(relay, mail, true, was_reused);
  return attempt;
}

void SmtpClient::set_relay(const Relay& relay, bool fresh) {
  set(curl_, CURLOPT_URL, url_of(relay, options_.helo).c_str());
  set(curl_, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(curl_, CURLOPT_PROXY, "");  // whatever the environment says
  set(curl_, CURLOPT_NOSIGNAL, 1L);
  const curl_opensocket_callback open = [](void* self, curlsocktype, curl_sockaddr* address) {
    return open_socket(self, address);
  };
  set(curl_, CURLOPT_OPENSOCKETFUNCTION, open);
  set(curl_, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(curl_, CURLOPT_CLOSESOCKETFUNCTION, &SmtpClient::close_socket);
  set(curl_, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
  set(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(options_.timeout).count()));
  set(curl_, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  set(curl_, CURLOPT_USE_SSL, static_cast<long>(relay.security == Security::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  set(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) set(curl_, CURLOPT_CAINFO, options_.ca_file.c_str());
  if (relay.user.empty()) return;
  set(curl_, CURLOPT_USERNAME, relay.user.c_str());
  set(curl_, CURLOPT_PASSWORD, relay.password.c_str());
}

Attempt SmtpClient::offer_once(const Relay& relay, const Mail& mail, bool fresh, bool& was_reused) {
  set_relay(relay, fresh);
  std::array<char, CURL_ERROR_SIZE> trouble{};
  set(curl_, CURLOPT_ERRORBUFFER, trouble.data());
  const std::string from = "<" + mail.from.str() + ">", to = "<" + mail.to.str() + ">";
  const std::unique_ptr<curl_slist, ListDeleter> recipients(curl_slist_append(nullptr, to.c_str()));
  set(curl_, CURLOPT_MAIL_FROM, from.c_str());
  set(curl_, CURLOPT_MAIL_RCPT, recipients.get());
  const Exchange exchange(curl_, mail.text, steady_now() + options_.timeout, give_up_);

  const CURLcode code = curl_easy_perform(curl_);
  long connects = 0;
  curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &connects);
  was_reused = connects == 0;
  const SmtpDialogue& dialogue = exchange.dialogue();
  if (code == CURLE_OK) return {dialogue.success()};
  spoil_connection();
  const char* what = trouble[0] != 0 ? trouble.data() : curl_easy_strerror(code);
  if (code == CURLE_ABORTED_BY_CALLBACK) what = give_up_.load() ? "the mailer was stopped" : "no answer in time";
  const Sent sent = dialogue.verdict(what, mail.to.str());
  const bool elsewhere = sent.outcome == Outcome::later && !dialogue.is_in_doubt() && !give_up_.load();
  return {sent, elsewhere, !dialogue.heard_anything()};
}

}  // namespace holdfast::mail
