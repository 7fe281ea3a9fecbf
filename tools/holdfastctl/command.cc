#include "tools/holdfastctl/command.h"

#include <iostream>

#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {

Result<Admin> make_admin(const Asked& asked) {
  auto where = parse_admin(asked.admin);
  if (!where) return where.error();
  return Admin({std::move(*where), asked.key_file,
                std::chrono::milliseconds(static_cast<std::int64_t>(asked.timeout_s * 1000))});
}

int failed(const Error& error) {
  std::cerr << "holdfastctl: " << error.message << "\n";
  return error.code == Errc::invalid_argument ? kExitUsage : kExitRefused;
}

}  // namespace holdfast::ctl
