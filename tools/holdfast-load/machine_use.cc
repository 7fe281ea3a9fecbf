#include "tools/holdfast-load/machine_use.h"

#include <fstream>
#include <sstream>
#include <string>

namespace holdfast::load {

std::optional<MachineUse> parse_machine_use(std::string_view stat) {
  std::istringstream fields{std::string(stat.substr(0, stat.find('\n')))};
  std::string name;
  if (!(fields >> name) || name != "cpu") return std::nullopt;
  // user nice system idle iowait irq softirq steal: guests are in user already.
  MachineUse use;
  double value = 0;
  for (int field = 0; field < 8 && fields >> value; ++field) {
    use.all += value;
    if (field != 3 && field != 4) use.busy += value;
  }
  return use;
}

MachineUse machine_use() {
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  return parse_machine_use(line).value_or(MachineUse());
}

double busy_between(const MachineUse& before, const MachineUse& after) {
  return after.all > before.all ? (after.busy - before.busy) / (after.all - before.all) : 0;
}

}  // namespace holdfast::load
