/// SHA-256 of what comes in pieces, by OpenSSL: for what people check with sha256sum.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace holdfast {

/// Value; update() any number of times, then hex() once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  /// 64 digits.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace holdfast
