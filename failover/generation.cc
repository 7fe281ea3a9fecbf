#include "failover/generation.h"

#include <cstdio>

#include "failover/cluster_keys.h"

namespace holdfast::failover {

std::optional<Generation> parse_generation(const std::string& text) {
  unsigned long long number = 0, restores = 0;
  char more = 0;
  if (std::sscanf(text.c_str(), "%llu %llu%c", &number, &restores, &more) != 2 || number == 0) return std::nullopt;
  return Generation{number, restores};
}

Result<Generation> load_generation(ConfigStore& store) {
  const auto row = store.get(kGenerationKey);
  if (!row) return row.error();
  if (row->revision == 0) return Generation{};
  const auto generation = parse_generation(row->value);
  if (generation) return *generation;
  return Error{Errc::corrupt, std::string("the row ") + kGenerationKey + " can't be read: '" + row->value + "'"};
}

}  // namespace holdfast::failover
