// SPDX-License-Identifier: BSL-1.0
// A DynamoDB Local for as long as this program runs, however it ends.
#pragma once

#include <string>
#include <sys/types.h>

namespace bench {

class dynamodb_local {
public:
    /// Installs it when it is missing. Throws std::runtime_error when it does not start.
    dynamodb_local();
    /// Waits until it is gone.
    ~dynamodb_local();
    dynamodb_local(const dynamodb_local&) = delete;
    dynamodb_local& operator=(const dynamodb_local&) = delete;

    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    void stop() noexcept;

    pid_t keeper_ = -1;
    /// The keeper stops the server when this is closed, by us or by our end.
    int leash_ = -1;
    std::string endpoint_;
    pid_t pid_ = -1;
};

} // namespace bench
