// SPDX-License-Identifier: BSL-1.0
// The main function of every example: runs one coroutine, and says what went wrong.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <utility>

inline int run_main(boost::asio::awaitable<void> example) {
    boost::asio::io_context context(1);
    std::exception_ptr failure;
    boost::asio::co_spawn(context, std::move(example), [&](std::exception_ptr thrown) {
        failure = thrown;
        context.stop();
    });
    context.run();
    try {
        if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& why) {
        std::cerr << "failed: " << why.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
