/// A gRPC channel to one member of etcd: its settings, and why.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "failover/io/etcd_options.h"

namespace holdfast::failover {

/// Fails with not_found if a file can't be read, with invalid_argument if there is a certificate without a key.
Result<std::shared_ptr<grpc::ChannelCredentials>> etcd_credentials(bool tls, const EtcdOptions& options);
std::shared_ptr<grpc::Channel> etcd_channel(const std::string& endpoint,
                                            const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace holdfast::failover
