/// How busy this machine's processors were, all of them together.
#pragma once

#include <optional>
#include <string_view>

namespace holdfast::load {

/// Ticks since the machine started, of all processors.
struct MachineUse {
  double busy = 0, all = 0;
};
/// Of the first line of /proc/stat. Pure; nothing if it is none.
std::optional<MachineUse> parse_machine_use(std::string_view stat);
/// Now; zeros if the kernel does not say.
MachineUse machine_use();
/// The share between two moments; 0 if no time passed.
double busy_between(const MachineUse& before, const MachineUse& after);

}  // namespace holdfast::load
