#include "server/disk_watch.h"

#include <catch2/catch.hpp>

using namespace holdfast;
using std::chrono::milliseconds;

namespace {

struct Disk {
  DiskWatch watch;
  DiskWatch::Syncs syncs;
  SteadyTime now{std::chrono::seconds(100)};

  /// A sync that takes so long, looked at every 20 ms.
  void sync(milliseconds time) {
    syncs.since = now;
    for (milliseconds passed{0}; passed < time; passed += milliseconds(20)) {
      watch.look(syncs, now);
      now += milliseconds(20);
    }
    syncs.since = {};
    ++syncs.count;
    syncs.total += time;
    watch.look(syncs, now);
  }
};

}  // namespace

TEST_CASE("DiskWatch: a disk whose syncs take half a second and more, for a second, is slow") {
  Disk disk;
  disk.sync(milliseconds(4));
  CHECK_FALSE(disk.watch.slow(disk.now));
  disk.sync(milliseconds(600));
  CHECK_FALSE(disk.watch.slow(disk.now));
  disk.sync(milliseconds(600));
  CHECK(disk.watch.slow(disk.now));
}

TEST_CASE("DiskWatch: one sync that does not end is enough") {
  Disk disk;
  disk.syncs.since = disk.now;
  disk.watch.look(disk.syncs, disk.now + milliseconds(990));
  CHECK_FALSE(disk.watch.slow(disk.now + milliseconds(990)));
  disk.watch.look(disk.syncs, disk.now + milliseconds(1'000));
  CHECK(disk.watch.slow(disk.now + milliseconds(1'000)));
}

TEST_CASE("DiskWatch: a quick sync makes it well again, and a disk that is asked for nothing is not judged") {
  Disk disk;
  disk.sync(milliseconds(700));
  disk.sync(milliseconds(700));
  CHECK(disk.watch.slow(disk.now));
  disk.sync(milliseconds(20));
  CHECK_FALSE(disk.watch.slow(disk.now));
  disk.now += std::chrono::seconds(10);
  disk.watch.look(disk.syncs, disk.now);
  CHECK_FALSE(disk.watch.slow(disk.now));
}

TEST_CASE(
    "DiskWatch: a sync that does not return within 3 s hangs, until it returns; slow ones one after the other don't") {
  Disk disk;
  for (int i = 0; i < 4; ++i) disk.sync(milliseconds(2'900));
  CHECK_FALSE(disk.watch.hangs(disk.now));
  disk.syncs.since = disk.now;
  disk.watch.look(disk.syncs, disk.now);
  CHECK_FALSE(disk.watch.hangs(disk.now + milliseconds(2'980)));
  CHECK(disk.watch.hangs(disk.now + milliseconds(3'000)));
  disk.now += std::chrono::seconds(30);
  disk.syncs.since = {};
  ++disk.syncs.count;
  disk.syncs.total += std::chrono::seconds(30);
  disk.watch.look(disk.syncs, disk.now);
  CHECK_FALSE(disk.watch.hangs(disk.now));
}

TEST_CASE("DiskWatch: syncs of 400 ms are no reason") {
  Disk disk;
  for (int i = 0; i < 10; ++i) disk.sync(milliseconds(400));
  CHECK_FALSE(disk.watch.slow(disk.now));
}
