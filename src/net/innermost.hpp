// SPDX-License-Identifier: BSL-1.0
// The executor beneath strands: what lives on it completes without a detour, and its context is the
// one that must be running for that.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

namespace codynamo::net {

/// Never keeps the context alive.
[[nodiscard]] inline boost::asio::any_io_executor
innermost(const boost::asio::any_io_executor& given) {
    namespace asio = boost::asio;
    asio::any_io_executor executor =
        asio::prefer(given, asio::execution::outstanding_work.untracked);
    if (const auto* s = executor.target<asio::strand<asio::io_context::executor_type>>())
        return s->get_inner_executor();
    if (const auto* s = executor.target<asio::strand<asio::thread_pool::executor_type>>())
        return s->get_inner_executor();
    if (const auto* s = executor.target<asio::strand<asio::any_io_executor>>())
        return innermost(s->get_inner_executor());
    return executor;
}

} // namespace codynamo::net
