/// What only the files of Worker see: its loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "server/worker.h"

namespace holdfast {

struct Worker::Loop {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work = boost::asio::make_work_guard(context);
  boost::asio::steady_timer timer{context};
  boost::asio::steady_timer router_timer{context};
  boost::asio::steady_timer pace_timer{context};
};

}  // namespace holdfast
