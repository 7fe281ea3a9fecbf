/// An incident as clients are told of it.
#pragma once

#include "proto/client.pb.h"
#include "proto/state.pb.h"

namespace holdfast::services {

inline v1::ServerFrame banner_of(const state::CurrentIncident& current, bool open) {
  v1::ServerFrame frame;
  v1::StatusBanner& banner = *frame.mutable_status_banner();
  banner.set_id(current.id());
  banner.set_text(current.text());
  banner.set_since_ms(current.since_ms());
  banner.set_open(open);
  return frame;
}

}  // namespace holdfast::services
