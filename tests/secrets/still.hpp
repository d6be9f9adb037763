// SPDX-License-Identifier: BSL-1.0
// Texts, files, servers and variables for tests that look at freed memory: they free no secret
// themselves.
#pragma once

#include "net/wire.hpp"
#include "secrets/freed_memory.hpp"
#include "support/catch.hpp"
#include "support/tap.hpp"

#include <codynamo/environment.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace codynamo::testing_support {

/// A text in static memory, so that the test itself frees no secret.
template <std::size_t Room = 1024>
class still_text {
public:
    template <class... Parts>
    explicit still_text(const Parts&... parts) {
        (append(parts), ...);
    }
    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

private:
    void append(std::string_view part) { size_ += part.copy(text_.data() + size_, Room - size_); }

    std::array<char, Room> text_{};
    std::size_t size_ = 0;
};

/// A folder of its own, and files in it that are written past any buffer.
class scratch {
public:
    scratch() { std::filesystem::create_directories(path_); }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string write(const char* name, std::string_view text) const {
        const auto path = (path_ / name).string();
        std::FILE* file = std::fopen(path.c_str(), "wb");
        REQUIRE(file);
        std::setvbuf(file, nullptr, _IONBF, 0);
        CHECK(std::fwrite(text.data(), 1, text.size(), file) == text.size());
        std::fclose(file);
        return path;
    }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() /
        ("codynamo-memory-" + std::to_string(environment::system_random()->next()));
};

/// Counts what is freed with a secret in it while it lives.
class watch {
public:
    [[nodiscard]] std::size_t leaks() const {
        const auto now = freed_with_secret() - before_;
        if (now != 0) print_latest_leak();
        return now;
    }

private:
    std::size_t before_ = freed_with_secret();
};

/// Has the wire receive `text`, in whatever pieces it has room for.
inline net::advance feed(net::wire& wire, std::string_view text) {
    auto state = net::advance::more;
    while (!text.empty() && state == net::advance::more) {
        const auto space = wire.space();
        const auto size = text.copy(space.data(), space.size());
        text.remove_prefix(size);
        state = wire.received(size);
    }
    return state;
}

/// Has the wire receive a whole response of `body` and then `more`.
inline net::response_view answer(net::wire& wire, std::string_view body,
                                 std::string_view more = {}) {
    std::array<char, 200> head{};
    const auto size = std::snprintf(head.data(), head.size(),
                                    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
                                    "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n",
                                    body.size() + more.size());
    auto state = feed(wire, {head.data(), static_cast<std::size_t>(size)});
    CHECK(state == net::advance::more);
    state = feed(wire, body);
    if (!more.empty()) state = feed(wire, more);
    REQUIRE(state == net::advance::done);
    return wire.response();
}

/// The library's own wire, and behind it a server that answers out of static memory. Each request
/// is on a connection of its own.
class still_transport final : public net::transport {
public:
    using server = std::string_view (*)(std::string_view head);
    explicit still_transport(server says) : says_(says) {}

    [[nodiscard]] boost::asio::awaitable<net::send_outcome> send(net::exchange& what,
                                                                 net::send_options) override {
        net::wire wire({false, "server", 80}, net::pool_config(), nullptr);
        wire.reset();
        what.write(wire.head(), wire.body());
        (void)wire.request();
        what.read(answer(wire, says_(wire.head())));
        co_return net::send_outcome{};
    }
    [[nodiscard]] boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

private:
    server says_;
};

/// Variables that are made anew for each who asks, as getenv's are.
inline environment with_variables(std::vector<std::pair<const char*, const char*>> known) {
    environment env = tapped();
    env.variable = [known = std::move(known)](const char* name) -> std::optional<std::string> {
        for (const auto& [each, value] : known) {
            if (std::string_view(each) == name) return value;
        }
        return std::nullopt;
    };
    return env;
}

} // namespace codynamo::testing_support
