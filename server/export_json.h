/// A stored row as JSON for people: fields by their names, ids and other bytes in hex, texts as texts. Pure.
#pragma once

#include <google/protobuf/message.h>
#include <boost/json/object.hpp>

namespace holdfast {

/// Fields that are not set are left out.
boost::json::object json_of(const google::protobuf::Message& message);

}  // namespace holdfast
