#include "tests/support/certificate.h"

#include <catch2/catch.hpp>

#include "tests/support/process.h"

namespace holdfast::testing {

Certificate make_certificate(const std::filesystem::path& folder, const std::string& name) {
  const std::string shown = name.empty() ? "127.0.0.1" : name;
  const std::string certificate = folder / (shown + ".pem"), key = folder / (shown + ".key");
  const Ended made = run_program({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                  "-nodes", "-days", "2", "-subj", "/CN=" + shown, "-addext",
                                  "subjectAltName=" + std::string(name.empty() ? "IP:" : "DNS:") + shown, "-keyout",
                                  key, "-out", certificate});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  return {certificate, key};
}

}  // namespace holdfast::testing
