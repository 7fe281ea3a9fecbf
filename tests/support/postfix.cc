#include "tests/support/postfix.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/process.h"

namespace holdfast::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMaster = "/usr/lib/postfix/sbin/master";

constexpr const char* kServices = R"(pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
)";

constexpr const char* kSettings = R"(compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
relay_recipient_maps =
virtual_mailbox_domains = inbox.test
virtual_mailbox_maps = static:all/
default_transport = error:no mail leaves this machine
smtp_dns_support_level = disabled
lmtp_dns_support_level = disabled
minimal_backoff_time = 1s
queue_run_delay = 1s
)";

/// Nobody's, since Postfix delivers as a user that is not root.
passwd* nobody() {
  passwd* user = ::getpwnam("nobody");
  REQUIRE(user != nullptr);
  return user;
}

void make_folder(const fs::path& path, const passwd* owner) {
  fs::create_directories(path);
  REQUIRE(::chown(path.c_str(), owner->pw_uid, owner->pw_gid) == 0);
}

}  // namespace

bool can_run_postfix() {
  if (::geteuid() != 0) {
    WARN("not tested: Postfix wants to be started by root");
    return false;
  }
  REQUIRE(fs::exists(kMaster));  // packages.txt has it
  return true;
}

Postfix::Postfix(const PostfixOptions& options) : port_(free_port()) {
  REQUIRE(::chmod(folder_.path().c_str(), 0755) == 0);
  write_configuration(options);
  const Ended checked = run_program({"/usr/sbin/postfix", "-c", folder_ / "etc", "check"});  // makes the queue's folders
  INFO(checked.err);
  REQUIRE(checked.exit_code == 0);
  master_.emplace(std::vector<std::string>{kMaster, "-d", "-c", folder_ / "etc"}, folder_ / "err");
  REQUIRE(comes_true([this] { return log().find("daemon started") != std::string::npos || master_->has_ended(); }));
  INFO(log() << contents_of(folder_ / "err"));
  REQUIRE_FALSE(master_->has_ended());
}

/// Its own children end when it says so, before their folder goes.
Postfix::~Postfix() { master_->stop(); }

void Postfix::write_configuration(const PostfixOptions& options) {
  passwd* postfix = ::getpwnam("postfix");
  REQUIRE(postfix != nullptr);
  make_folder(folder_ / "data", postfix);
  make_folder(folder_ / "mail", nobody());
  fs::create_directories(folder_ / "etc");
  fs::create_directories(folder_ / "queue");
  const auto in_folder = [this](const char* name) { return (folder_ / name).string(); };
  const std::string uid = std::to_string(nobody()->pw_uid), gid = std::to_string(nobody()->pw_gid);
  std::string settings = kSettings;
  settings += "queue_directory = " + in_folder("queue") + "\ndata_directory = " + in_folder("data") +
              "\nvirtual_mailbox_base = " + in_folder("mail") + "\nvirtual_uid_maps = static:" + uid +
              "\nvirtual_gid_maps = static:" + gid + "\nmaillog_file = " + in_folder("log") +
              "\nmaillog_file_prefixes = " + folder_.path().string() + "\nrelay_domains = reply.test\n";
  if (options.lmtp_port != 0)
    settings +=
        "transport_maps = inline:{ {reply.test = lmtp:inet:127.0.0.1:" + std::to_string(options.lmtp_port) + "} }\n";
  if (options.certificate)
    settings += "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = " + options.certificate->certificate_file +
                "\nsmtpd_tls_key_file = " + options.certificate->key_file + "\n";
  for (const std::string& line : options.more) settings += line + "\n";
  write_file(folder_ / "etc/main.cf", settings);
  write_file(folder_ / "etc/master.cf", "127.0.0.1:" + std::to_string(port_) + " inet n - n - - smtpd\n" + kServices);
}

std::vector<std::string> Postfix::delivered() const {
  std::vector<fs::path> files;
  std::error_code none;  // before the first mail
  for (const auto& entry : fs::directory_iterator(folder_ / "mail/all/new", none)) files.push_back(entry.path());
  const auto older = [](const fs::path& a, const fs::path& b) {
    return std::pair(fs::last_write_time(a), a) < std::pair(fs::last_write_time(b), b);
  };
  std::sort(files.begin(), files.end(), older);
  std::vector<std::string> mails;
  for (const fs::path& file : files) mails.push_back(contents_of(file));
  return mails;
}

std::vector<std::string> Postfix::wait_for_delivered(std::size_t mails) const {
  const bool came = comes_true([&] { return delivered().size() >= mails; });
  INFO(log());
  REQUIRE(came);
  return delivered();
}

std::string Postfix::log() const { return fs::exists(folder_ / "log") ? contents_of(folder_ / "log") : ""; }

void Postfix::flush_queue() {
  const Ended flushed = run_program({"/usr/sbin/postfix", "-c", folder_ / "etc", "flush"});
  INFO(flushed.err);
  REQUIRE(flushed.exit_code == 0);
}

}  // namespace holdfast::testing
