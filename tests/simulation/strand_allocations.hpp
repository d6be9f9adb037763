// SPDX-License-Identifier: BSL-1.0
// Which allocations of Asio's executors must not fail, because nothing outside of Asio can survive
// it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/detail/mutex.hpp>
#include <boost/asio/detail/strand_executor_service.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/strand.hpp>

#include <cstddef>
#include <utility>

namespace codynamo::test {

/// Whether any_io_executor allocates so much: for the answer to a query, or for a variant of a
/// strand, with its virtual functions and its count of references. A post to a coroutine that
/// waits on a strand does both, and so does a coroutine's end; neither may throw.
constexpr bool is_for_executor(std::size_t bytes) noexcept {
    constexpr std::size_t answer = sizeof(boost::asio::execution::blocking_t);
    constexpr std::size_t variant =
        2 * sizeof(void*) + sizeof(boost::asio::strand<boost::asio::any_io_executor>);
    return bytes == answer || bytes == variant;
}

/// Having made a strand, Asio allocates what counts its references, and a mutex. When one of these
/// fails, the strand's destructor takes its service from memory that was never written.
class strand_allocations {
public:
    /// Told of each allocation in turn: whether it is one of those.
    bool is_fatal(std::size_t bytes) noexcept {
        const std::size_t before = std::exchange(before_, bytes);
        const std::size_t second = std::exchange(second_, before);
        const bool references = bytes == references_bytes && before == strand_bytes;
        const bool mutex = bytes == sizeof(boost::asio::detail::mutex) &&
                           before == references_bytes && second == strand_bytes;
        return references || mutex;
    }

private:
    static constexpr std::size_t strand_bytes =
        sizeof(boost::asio::detail::strand_executor_service::implementation_type::element_type);
    static constexpr std::size_t references_bytes = 3 * sizeof(void*);

    std::size_t before_ = 0;
    std::size_t second_ = 0;
};

} // namespace codynamo::test
