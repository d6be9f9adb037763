// SPDX-License-Identifier: BSL-1.0
// The operations that a backend does not offer, made up from those it does.
#include "cache/empty_handle.hpp"
#include "cache/failures.hpp"

#include <codynamo/any_backend.hpp>

#include <new>

namespace codynamo::detail {

namespace asio = boost::asio;

void rethrow_backend_failure() {
    try {
        throw;
    } catch (const boost::system::system_error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        throw error(errc::backend_failed, "the backend failed: " + words_of_current_exception());
    }
}

namespace {

template <class T>
asio::awaitable<T> translate(asio::awaitable<T> pending, std::exception_ptr thrown) {
    try {
        if (thrown) std::rethrow_exception(std::move(thrown));
        co_return co_await std::move(pending);
    } catch (...) {
        rethrow_backend_failure();
    }
}

template <class Outcomes>
asio::awaitable<Outcomes> translate_batch(asio::awaitable<Outcomes> pending,
                                          std::exception_ptr thrown, std::size_t keys) {
    Outcomes outcomes = co_await translate(std::move(pending), std::move(thrown));
    if (outcomes.size() != keys)
        throw error(errc::bad_response, "the backend answered " + std::to_string(outcomes.size()) +
                                            " outcomes for " + std::to_string(keys) + " keys");
    co_return outcomes;
}

} // namespace

asio::awaitable<void> translate_failures(asio::awaitable<void> pending, std::exception_ptr thrown) {
    return translate(std::move(pending), std::move(thrown));
}

asio::awaitable<bool> translate_failures(asio::awaitable<bool> pending, std::exception_ptr thrown) {
    return translate(std::move(pending), std::move(thrown));
}

asio::awaitable<std::optional<record>>
translate_failures(asio::awaitable<std::optional<record>> pending, std::exception_ptr thrown) {
    return translate(std::move(pending), std::move(thrown));
}

asio::awaitable<clear_progress> translate_failures(asio::awaitable<clear_progress> pending,
                                                   std::exception_ptr thrown) {
    return translate(std::move(pending), std::move(thrown));
}

asio::awaitable<backend_interface::found_records>
translate_failures(asio::awaitable<backend_interface::found_records> pending,
                   std::exception_ptr thrown, std::size_t keys) {
    return translate_batch(std::move(pending), std::move(thrown), keys);
}

asio::awaitable<backend_interface::outcomes>
translate_failures(asio::awaitable<backend_interface::outcomes> pending, std::exception_ptr thrown,
                   std::size_t keys) {
    return translate_batch(std::move(pending), std::move(thrown), keys);
}

asio::awaitable<void> backend_interface::discard(std::string key) {
    co_await erase(std::move(key));
}

bool backend_interface::load_now(std::string_view, record&) {
    return false;
}

asio::awaitable<std::optional<record>> backend_interface::peek(std::string key) {
    return load(std::move(key));
}

asio::awaitable<bool> backend_interface::touch(std::string key, timestamp now, ttl lifetime) {
    std::optional<record> found = co_await load(key);
    if (!found || !is_fresh(*found, now)) co_return false;
    found->written = now;
    found->lifetime = lifetime;
    co_await store(std::move(key), std::move(*found));
    co_return true;
}

asio::awaitable<bool> backend_interface::store_newer(std::string key, record r) {
    const std::optional<record> there = co_await peek(key);
    if (there && there->written > r.written) co_return false;
    co_await store(std::move(key), std::move(r));
    co_return true;
}

asio::awaitable<backend_interface::found_records>
backend_interface::load_many(std::vector<std::string> keys) {
    found_records found;
    found.reserve(keys.size());
    for (std::string& key : keys) {
        try {
            std::optional<record> loaded(std::in_place);
            if (!load_now(key, *loaded)) loaded = co_await load(std::move(key));
            found.emplace_back(boost::system::in_place_value, std::move(loaded));
        } catch (...) {
            found.emplace_back(boost::system::in_place_error, failure_or_cancellation());
        }
    }
    co_return found;
}

asio::awaitable<backend_interface::outcomes>
backend_interface::store_many(std::vector<keyed_record> records) {
    outcomes done;
    done.reserve(records.size());
    for (auto& [key, r] : records) {
        try {
            co_await store(std::move(key), std::move(r));
            done.emplace_back();
        } catch (...) {
            done.emplace_back(boost::system::in_place_error, failure_or_cancellation());
        }
    }
    co_return done;
}

asio::awaitable<backend_interface::outcomes>
backend_interface::erase_many(std::vector<std::string> keys) {
    outcomes done;
    done.reserve(keys.size());
    for (std::string& key : keys) {
        try {
            co_await erase(std::move(key));
            done.emplace_back();
        } catch (...) {
            done.emplace_back(boost::system::in_place_error, failure_or_cancellation());
        }
    }
    co_return done;
}

asio::awaitable<clear_progress> backend_interface::clear_all(clear_options) {
    throw error(errc::invalid_argument, "clear_all: this backend cannot clear");
    co_return clear_progress{};
}

asio::awaitable<clear_progress> backend_interface::clear_expired(clear_options, timestamp) {
    throw error(errc::invalid_argument, "clear_expired: this backend cannot clear");
    co_return clear_progress{};
}

asio::awaitable<void> backend_interface::close() {
    co_return;
}

namespace {

class empty_backend final : public backend_interface {
    awaitable<std::optional<record>> load(std::string) override {
        return answer_empty<std::optional<record>>();
    }
    awaitable<void> store(std::string, record) override { return answer_empty<void>(); }
    awaitable<bool> erase(std::string) override { return answer_empty<bool>(); }
    awaitable<clear_progress> clear_all(clear_options) override {
        return answer_empty<clear_progress>();
    }
    awaitable<clear_progress> clear_expired(clear_options, timestamp) override {
        return answer_empty<clear_progress>();
    }
};

} // namespace

std::shared_ptr<backend_interface> make_empty_backend() {
    return std::make_shared<empty_backend>();
}

} // namespace codynamo::detail
