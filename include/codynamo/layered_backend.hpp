// SPDX-License-Identifier: BSL-1.0
// Several backends as one: fast and small above, slow and shared below.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo {

struct layered_backend_config {
    /// The clock decides which copies are fresh; the log hears of layers that fail.
    environment env;
};

/// Several backends as one. Layers are given from the fastest to the shared one, and the lowest is
/// the truth: a write goes there first and then upward; when it fails, the copies above are
/// dropped. A read asks from the top, and what it finds below is copied upward with its original
/// times, so with the remaining lifetime; what has expired is not copied. Such a copy never
/// replaces one that was written later, and a copy that was read before a write or erase of this
/// process never survives it. touch drops the copies instead of touching them; contains copies
/// nothing.
///
/// A layer above that fails is passed over with a warning in the log: when reading, what it has is
/// missing; when writing, it may keep an old copy until that expires. The lowest layer's errors
/// are everybody's. Writes of other processes are seen when a copy above has expired.
///
/// A handle: copies share the layers, and an operation owns them. Thread-safe, as far as the layers
/// are. Cancellation: as the layers'; after it no copy above is older than the lowest layer.
class CODYNAMO_API layered_backend {
public:
    /// Throws errc::invalid_argument when there is no layer.
    explicit layered_backend(std::vector<any_backend> layers,
                             layered_backend_config config = layered_backend_config());
    template <backend... B>
        requires(sizeof...(B) >= 2)
    explicit layered_backend(B... layers)
        : layered_backend(std::vector<any_backend>{any_backend(std::move(layers))...}) {}
    /// Moving copies: a handle that was moved from is as good as before.
    layered_backend(const layered_backend&) = default;
    layered_backend& operator=(const layered_backend&) = default;
    ~layered_backend() = default;

    [[nodiscard]] boost::asio::awaitable<std::optional<record>> load(std::string key);
    [[nodiscard]] boost::asio::awaitable<void> store(std::string key, record r);
    [[nodiscard]] boost::asio::awaitable<bool> erase(std::string key);
    [[nodiscard]] boost::asio::awaitable<void> discard(std::string key);

    /// What the top layer has at hand and is fresh.
    [[nodiscard]] bool load_now(std::string_view key, record& out);
    [[nodiscard]] boost::asio::awaitable<std::optional<record>> peek(std::string key);
    [[nodiscard]] boost::asio::awaitable<bool> touch(std::string key, timestamp now, ttl lifetime);
    [[nodiscard]] boost::asio::awaitable<bool> store_newer(std::string key, record r);
    [[nodiscard]] boost::asio::awaitable<std::vector<result<std::optional<record>>>>
    load_many(std::vector<std::string> keys);
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    store_many(std::vector<keyed_record> records);
    [[nodiscard]] boost::asio::awaitable<std::vector<result<void>>>
    erase_many(std::vector<std::string> keys);
    /// Counts and progress are those of the lowest layer.
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_all(clear_options options);
    [[nodiscard]] boost::asio::awaitable<clear_progress> clear_expired(clear_options options,
                                                                       timestamp now);
    /// Closes every layer, whatever one of them says; throws the first failure.
    [[nodiscard]] boost::asio::awaitable<void> close();

private:
    class core;
    std::shared_ptr<core> core_;
};

namespace detail {
template <>
inline constexpr bool throws_only_errors<layered_backend> = true;
extern template CODYNAMO_API std::shared_ptr<backend_interface> erase_backend(layered_backend);
} // namespace detail

} // namespace codynamo
