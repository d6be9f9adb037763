// SPDX-License-Identifier: BSL-1.0
// Texts, files, servers and variables for tests that look at freed memory: they free no secret
// themselves.
#pragma once

#include "aws/secret_memory.hpp"
#include "secrets/freed_memory.hpp"
#include "support/tap.hpp"

#include <codynamo/environment.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <catch2/catch.hpp>
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

/// Answers out of static memory, and keeps what it was sent in buffers that it wipes.
class still_transport final : public net::transport {
public:
    using server = std::string_view (*)(std::string_view head);
    explicit still_transport(server answer) : answer_(answer) {
        head_.text().reserve(buffer_bytes);
        body_.text().reserve(buffer_bytes);
    }

    [[nodiscard]] boost::asio::awaitable<net::send_outcome> send(net::exchange& what,
                                                                 net::send_options) override {
        head_.text().clear();
        body_.text().clear();
        what.write(head_.text(), body_.text());
        constexpr net::header_view lifetime{"x-aws-ec2-metadata-token-ttl-seconds", "21600"};
        net::response_view response;
        response.status = 200;
        response.headers = {&lifetime, 1};
        response.body = answer_(head_.text());
        what.read(response);
        co_return net::send_outcome{};
    }
    [[nodiscard]] boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

private:
    static constexpr std::size_t buffer_bytes = 4096;
    server answer_;
    aws::detail::secret_string head_, body_;
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
