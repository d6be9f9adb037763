// SPDX-License-Identifier: BSL-1.0
// How a wait ends, and how somebody else ends it.
#pragma once

namespace codynamo::net {

/// How a waiting coroutine comes to be resumed.
enum class wake {
    granted,
    timeout,
    closed,
    overloaded,  ///< too many are waiting
    hopeless,    ///< the deadline would pass in the queue
    too_late,    ///< the time that is left is too short for an exchange
    unreachable, ///< no connection is left, and none could be opened
    forked,      ///< this is the copy of a wait that goes on in the parent process
    no_memory,   ///< for a connection
    aborted,
};

/// A wait that may be cut short.
class abandonable {
public:
    /// Ends the wait from any thread, if it is not over.
    virtual void abandon(wake why) noexcept = 0;

protected:
    ~abandonable() = default;
};

} // namespace codynamo::net
