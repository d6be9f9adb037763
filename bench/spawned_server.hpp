// SPDX-License-Identifier: BSL-1.0
// A local DynamoDB server for as long as this program runs, however it ends.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace bench {

class spawned_server {
public:
    /// `engine`: one that tools/local-server.sh knows. Throws std::runtime_error when it does not
    /// start. After interruption::came() the start is given up and endpoint() is empty.
    explicit spawned_server(const std::string& engine);
    /// Waits until it is gone.
    ~spawned_server();
    spawned_server(const spawned_server&) = delete;
    spawned_server& operator=(const spawned_server&) = delete;

    [[nodiscard]] const std::string& endpoint() const noexcept { return endpoint_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// Of the package that tools/local-server.sh installed; empty for dynamodb-local.
    [[nodiscard]] const std::string& package_version() const noexcept { return package_version_; }

private:
    void start(const std::string& engine);
    void stop() noexcept;

    pid_t keeper_ = -1;
    /// The keeper stops the server when this is closed, by us or by our end.
    int leash_ = -1;
    std::string endpoint_;
    pid_t pid_ = -1;
    std::string package_version_;
};

} // namespace bench
