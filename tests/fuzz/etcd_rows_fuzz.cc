// links: failover_io
// What etcd answers: rows that are none of ours, or do not parse, are errors and never a crash. And its address.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "failover/io/etcd_address.h"
#include "failover/io/etcd_rows.h"
#include "proto/log.pb.h"

namespace holdfast::failover {
namespace {

void read_rows(std::string_view bytes) {
  etcdserverpb::RangeResponse response;
  if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const auto rows = rows_in(response, EtcdKeys("fuzz"));
  if (!rows) return;
  for (const auto& [key, row] : rows->rows) {
    HF_CHECK(row.revision > 0 && row.revision <= rows->revision, "a row that is there has a revision");
    log::PartitionConfig partition;
    log::NodeRow node;
    (void)partition.ParseFromString(row.value);
    (void)node.ParseFromString(row.value);
  }
}

void read_address(std::string_view text) {
  const auto address = parse_etcd_address(text);
  if (!address) return;
  HF_CHECK(!address->endpoints.empty() && !address->prefix.empty(), "an address says where");
}

}  // namespace
}  // namespace holdfast::failover

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  holdfast::failover::read_rows(bytes);
  holdfast::failover::read_address(bytes);
  return 0;
}
