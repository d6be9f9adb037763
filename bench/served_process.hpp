// SPDX-License-Identifier: BSL-1.0
// A batch_server in a process of its own, so that what it uses is not counted as ours.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace bench {

/// Killed with this process, and ended by the destructor.
class served_process {
public:
    /// To be called before there are threads. Throws system_error when there can be no process.
    explicit served_process(int core = -1);
    ~served_process();
    served_process(const served_process&) = delete;
    served_process& operator=(const served_process&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// As batch_server's, for the requests that are sent after the return.
    void hold();
    void release();

private:
    void tell(char what);

    int channel_ = -1;
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace bench
