#include "server/damage.h"

#include <unistd.h>

#include <cstdio>

namespace holdfast {

std::string describe_damage(const Error& error, bool in_cluster) {
  const char* advice =
      in_cluster
          ? "if a restart does not get over it, move the data directory away and start with an empty one under the "
            "same node_name: the other nodes fill it"
          : "if a restart does not get over it, keep the data directory and restore a backup (holdfastctl restore)";
  return "what is on the disk can't be read: " + error.message + "; nothing was deleted; " + advice;
}

void end_for_damage(const Error& error, bool in_cluster) {
  // Not through the logger, whose thread would have to be waited for.
  std::fprintf(stderr, "holdfastd: %s\n", describe_damage(error, in_cluster).c_str());
  ::_exit(70);
}

}  // namespace holdfast
