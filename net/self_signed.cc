/// The certificate that a first start makes for itself.
#include <openssl/obj_mac.h>

#include <algorithm>

#include "net/certificates.h"
#include "net/tls.h"

namespace holdfast {

Status make_self_signed(const std::string& certificate_path, const std::string& key_path,
                        const std::vector<std::string>& hosts) {
  auto all = hosts;
  for (const char* always : {"localhost", "127.0.0.1", "::1"}) {
    if (std::find(all.begin(), all.end(), always) == all.end()) all.emplace_back(always);
  }
  auto names = alternative_names(all);
  if (!names) return names.error();
  auto key = make_certificate_key();
  if (!key) return key.error();
  const CertificateWish wish{"Holdfast, self-signed",
                             kSelfSignedDays,
                             {{NID_subject_alt_name, *names},
                              {NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "serverAuth"},
                              {NID_subject_key_identifier, "hash"}}};
  auto certificate = make_certificate(key->get(), wish);
  if (!certificate) return certificate.error();
  return write_key_and_certificate(key->get(), key_path, certificate->get(), certificate_path);
}

}  // namespace holdfast
