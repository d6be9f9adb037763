// SPDX-License-Identifier: BSL-1.0
// A serializer policy and a backend of one's own.
#include "run_main.hpp"

#include <codynamo/cache.hpp>

#include <charconv>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace asio = boost::asio;

namespace {

struct point {
    int x = 0;
    int y = 0;
};

// [serializer]
// A policy is two functions. Whatever they throw becomes serialize_failed or deserialize_failed.
struct point_serializer {
    static std::string serialize(const point& p) {
        return std::to_string(p.x) + "," + std::to_string(p.y);
    }
    static point deserialize(std::string_view text) {
        const char* end = text.data() + text.size();
        point p;
        auto [comma, first] = std::from_chars(text.data(), end, p.x);
        if (first != std::errc() || comma == end || *comma != ',')
            throw std::invalid_argument("not a point");
        auto [rest, second] = std::from_chars(comma + 1, end, p.y);
        if (second != std::errc() || rest != end) throw std::invalid_argument("not a point");
        return p;
    }
};
// [/serializer]

// [backend]
// A backend is a handle with three functions that keeps records: bytes with times, never values.
class map_backend {
public:
    asio::awaitable<std::optional<codynamo::record>> load(std::string key) {
        std::lock_guard lock(shared_->mutex);
        auto found = shared_->records.find(key);
        if (found == shared_->records.end()) co_return std::nullopt;
        co_return found->second; // expired or not: the cache decides
    }
    asio::awaitable<void> store(std::string key, codynamo::record what) {
        std::lock_guard lock(shared_->mutex);
        shared_->records.insert_or_assign(std::move(key), std::move(what));
        co_return;
    }
    asio::awaitable<bool> erase(std::string key) {
        std::lock_guard lock(shared_->mutex);
        co_return shared_->records.erase(key) == 1;
    }

private:
    struct shared {
        std::mutex mutex;
        std::map<std::string, codynamo::record> records;
    };
    std::shared_ptr<shared> shared_ = std::make_shared<shared>();
};
// [/backend]

asio::awaitable<void> example() {
    // [use]
    map_backend backend;
    codynamo::cache<point, point_serializer> points(backend);
    co_await points.set("corner", {3, -4});
    std::optional<point> corner = co_await points.get("corner");

    codynamo::cache<std::string, codynamo::text_serializer> texts(backend);
    co_await texts.set("corner", "nowhere");
    auto broken = co_await points.try_get("corner"); // a value instead of an exception
    // [/use]
    if (!corner || corner->x != 3 || corner->y != -4) throw std::runtime_error("another point");
    if (broken || broken.error().code != codynamo::errc::deserialize_failed)
        throw std::runtime_error("'nowhere' was taken for a point");
    std::cout << "The corner is at " << corner->x << "," << corner->y
              << "; then: " << broken.error().message() << "\n";
}

} // namespace

int main() {
    return run_main(example());
}
