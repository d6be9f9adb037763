// SPDX-License-Identifier: BSL-1.0
// Things that belong to an execution context and have to go before it does, although somebody else
// holds them.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace codynamo::aws::detail {

class context_guest {
public:
    virtual ~context_guest() = default;
    /// The context is being destroyed; it can still be posted to (what is posted will be destroyed
    /// unrun), but not after this has returned.
    virtual void context_gone() noexcept = 0;
};

/// Has context_gone() called if the context of this executor is destroyed before the guest, and
/// before what is posted to a strand of it would be destroyed at once, in the thread that posts.
/// Thread-safe.
void register_guest(const boost::asio::any_io_executor& executor,
                    const std::shared_ptr<context_guest>& guest);

} // namespace codynamo::aws::detail
