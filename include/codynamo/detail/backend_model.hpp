// SPDX-License-Identifier: BSL-1.0
// How any_backend forgets the type of what it wraps, and finds out what that offers.
#pragma once

#include <codynamo/backend.hpp>
#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace codynamo::detail {

/// All the operations of a backend. Those with a body here are made up from the others.
class CODYNAMO_API backend_interface {
public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    using found_records = std::vector<result<std::optional<record>>>;
    using outcomes = std::vector<result<void>>;

    virtual ~backend_interface() = default;
    virtual awaitable<std::optional<record>> load(std::string key) = 0;
    virtual awaitable<void> store(std::string key, record r) = 0;
    virtual awaitable<bool> erase(std::string key) = 0;

    virtual awaitable<void> discard(std::string key);
    virtual bool load_now(std::string_view key, record& out);
    virtual awaitable<std::optional<record>> peek(std::string key);
    virtual awaitable<bool> touch(std::string key, timestamp now, ttl lifetime);
    virtual awaitable<bool> store_newer(std::string key, record r);
    virtual awaitable<found_records> load_many(std::vector<std::string> keys);
    virtual awaitable<outcomes> store_many(std::vector<keyed_record> records);
    virtual awaitable<outcomes> erase_many(std::vector<std::string> keys);
    virtual awaitable<clear_progress> clear_all(clear_options options);
    virtual awaitable<clear_progress> clear_expired(clear_options options, timestamp now);
    virtual awaitable<void> close();
};

/// Fails with errc::closed.
[[nodiscard]] CODYNAMO_API std::shared_ptr<backend_interface> make_empty_backend();

/// B throws nothing but codynamo::error, cancellations and what a lack of memory throws: true of
/// the library's own backends, which therefore need no coroutine around each operation.
template <class B>
inline constexpr bool throws_only_errors = false;

/// In a catch block: rethrows a system_error, and anything else as errc::backend_failed.
[[noreturn]] CODYNAMO_API void rethrow_backend_failure();

/// Awaits `pending`, or throws what the call that should have made it threw. Failures are those of
/// rethrow_backend_failure; a batch that has not one outcome per key is errc::bad_response.
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<void>
translate_failures(boost::asio::awaitable<void> pending, std::exception_ptr thrown);
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<bool>
translate_failures(boost::asio::awaitable<bool> pending, std::exception_ptr thrown);
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<std::optional<record>>
translate_failures(boost::asio::awaitable<std::optional<record>> pending,
                   std::exception_ptr thrown);
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<clear_progress>
translate_failures(boost::asio::awaitable<clear_progress> pending, std::exception_ptr thrown);
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<backend_interface::found_records>
translate_failures(boost::asio::awaitable<backend_interface::found_records> pending,
                   std::exception_ptr thrown, std::size_t keys);
[[nodiscard]] CODYNAMO_API boost::asio::awaitable<backend_interface::outcomes>
translate_failures(boost::asio::awaitable<backend_interface::outcomes> pending,
                   std::exception_ptr thrown, std::size_t keys);

template <backend B>
class backend_model final : public backend_interface {
    static_assert(std::copy_constructible<B>, "a backend is a handle: copies share what they keep");

public:
    explicit backend_model(B wrapped) : wrapped_(std::move(wrapped)) {}

    awaitable<std::optional<record>> load(std::string key) override {
        return guarded<std::optional<record>>([&] { return wrapped_.load(std::move(key)); });
    }
    awaitable<void> store(std::string key, record r) override {
        return guarded<void>([&] { return wrapped_.store(std::move(key), std::move(r)); });
    }
    awaitable<bool> erase(std::string key) override {
        return guarded<bool>([&] { return wrapped_.erase(std::move(key)); });
    }

    awaitable<void> discard(std::string key) override {
        if constexpr (requires {
                          { wrapped_.discard(key) } -> std::same_as<awaitable<void>>;
                      })
            return guarded<void>([&] { return wrapped_.discard(std::move(key)); });
        else
            return backend_interface::discard(std::move(key));
    }
    bool load_now(std::string_view key, record& out) override {
        if constexpr (requires {
                          { wrapped_.load_now(key, out) } -> std::same_as<bool>;
                      })
            return load_now_guarded(key, out);
        else
            return backend_interface::load_now(key, out);
    }
    awaitable<std::optional<record>> peek(std::string key) override {
        if constexpr (requires {
                          { wrapped_.peek(key) } -> std::same_as<awaitable<std::optional<record>>>;
                      })
            return guarded<std::optional<record>>([&] { return wrapped_.peek(std::move(key)); });
        else
            return backend_interface::peek(std::move(key));
    }
    awaitable<bool> touch(std::string key, timestamp now, ttl lifetime) override {
        if constexpr (requires {
                          { wrapped_.touch(key, now, lifetime) } -> std::same_as<awaitable<bool>>;
                      })
            return guarded<bool>([&] { return wrapped_.touch(std::move(key), now, lifetime); });
        else
            return backend_interface::touch(std::move(key), now, lifetime);
    }
    awaitable<bool> store_newer(std::string key, record r) override {
        if constexpr (requires {
                          { wrapped_.store_newer(key, r) } -> std::same_as<awaitable<bool>>;
                      })
            return guarded<bool>(
                [&] { return wrapped_.store_newer(std::move(key), std::move(r)); });
        else
            return backend_interface::store_newer(std::move(key), std::move(r));
    }
    awaitable<found_records> load_many(std::vector<std::string> keys) override {
        if constexpr (requires {
                          { wrapped_.load_many(keys) } -> std::same_as<awaitable<found_records>>;
                      }) {
            return guarded<found_records>([&] { return wrapped_.load_many(std::move(keys)); },
                                          keys.size());
        } else
            return backend_interface::load_many(std::move(keys));
    }
    awaitable<outcomes> store_many(std::vector<keyed_record> records) override {
        if constexpr (requires {
                          { wrapped_.store_many(records) } -> std::same_as<awaitable<outcomes>>;
                      }) {
            return guarded<outcomes>([&] { return wrapped_.store_many(std::move(records)); },
                                     records.size());
        } else
            return backend_interface::store_many(std::move(records));
    }
    awaitable<outcomes> erase_many(std::vector<std::string> keys) override {
        if constexpr (requires {
                          { wrapped_.erase_many(keys) } -> std::same_as<awaitable<outcomes>>;
                      }) {
            return guarded<outcomes>([&] { return wrapped_.erase_many(std::move(keys)); },
                                     keys.size());
        } else
            return backend_interface::erase_many(std::move(keys));
    }
    awaitable<clear_progress> clear_all(clear_options options) override {
        if constexpr (requires {
                          {
                              wrapped_.clear_all(options)
                          } -> std::same_as<awaitable<clear_progress>>;
                      })
            return guarded<clear_progress>([&] { return wrapped_.clear_all(std::move(options)); });
        else
            return backend_interface::clear_all(std::move(options));
    }
    awaitable<clear_progress> clear_expired(clear_options options, timestamp now) override {
        if constexpr (requires {
                          {
                              wrapped_.clear_expired(options, now)
                          } -> std::same_as<awaitable<clear_progress>>;
                      })
            return guarded<clear_progress>(
                [&] { return wrapped_.clear_expired(std::move(options), now); });
        else
            return backend_interface::clear_expired(std::move(options), now);
    }
    awaitable<void> close() override {
        if constexpr (requires {
                          { wrapped_.close() } -> std::same_as<awaitable<void>>;
                      })
            return guarded<void>([&] { return wrapped_.close(); });
        else
            return backend_interface::close();
    }

private:
    /// `keys` is the number of keys of a batch.
    template <class T, class Call, class... Keys>
    static awaitable<T> guarded(Call call, Keys... keys) {
        if constexpr (throws_only_errors<B>) {
            return call();
        } else {
            awaitable<T> pending;
            std::exception_ptr thrown;
            try {
                pending = call();
            } catch (...) {
                thrown = std::current_exception();
            }
            return translate_failures(std::move(pending), std::move(thrown), keys...);
        }
    }
    bool load_now_guarded(std::string_view key, record& out) {
        if constexpr (throws_only_errors<B>) {
            return wrapped_.load_now(key, out);
        } else {
            try {
                return wrapped_.load_now(key, out);
            } catch (...) {
                rethrow_backend_failure();
            }
        }
    }

    B wrapped_;
};

/// Apart from any_backend, so that the backends of this library can be erased inside it: it takes a
/// compiler 0.4 s.
template <backend B>
std::shared_ptr<backend_interface> erase_backend(B wrapped) {
    return std::make_shared<backend_model<B>>(std::move(wrapped));
}

} // namespace codynamo::detail
