/// The few Asio names that headers of ours need, and nothing heavier.
///
/// Everything in net/ runs on executors of an io_context that is run by exactly one thread, and is used on that thread
/// only, unless a comment says otherwise.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

namespace holdfast {

template <class T>
using Awaitable = boost::asio::awaitable<T>;
using boost::asio::any_io_executor;
using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

}  // namespace holdfast
