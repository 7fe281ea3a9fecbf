/// Certificates for servers of tests, made by `openssl`.
#pragma once

#include <filesystem>
#include <string>

namespace holdfast::testing {

struct Certificate {
  std::string certificate_file, key_file;  ///< PEM; the certificate is its own authority
};

/// For 127.0.0.1 or, with `name`, for that host name only.
Certificate make_certificate(const std::filesystem::path& folder, const std::string& name = "");

}  // namespace holdfast::testing
