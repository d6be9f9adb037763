// SPDX-License-Identifier: BSL-1.0
// The handle: every operation owns the layers it works on.
#include "cache/layered_core.hpp"

namespace codynamo {

namespace asio = boost::asio;

layered_backend::layered_backend(std::vector<any_backend> layers, layered_backend_config config)
    : core_(std::make_shared<core>(std::move(layers), std::move(config))) {}

bool layered_backend::load_now(std::string_view key, record& out) {
    return core_->load_now(key, out);
}

asio::awaitable<std::optional<record>> layered_backend::load(std::string key) {
    return core::load(core_, std::move(key));
}

asio::awaitable<std::optional<record>> layered_backend::peek(std::string key) {
    return core::peek(core_, std::move(key));
}

asio::awaitable<void> layered_backend::store(std::string key, record r) {
    return core::store(core_, std::move(key), std::move(r));
}

asio::awaitable<bool> layered_backend::store_newer(std::string key, record r) {
    return core::store_newer(core_, std::move(key), std::move(r));
}

asio::awaitable<bool> layered_backend::erase(std::string key) {
    return core::remove(core_, std::move(key), true);
}

asio::awaitable<void> layered_backend::discard(std::string key) {
    static_cast<void>(co_await core::remove(core_, std::move(key), false));
}

asio::awaitable<bool> layered_backend::touch(std::string key, timestamp now, ttl lifetime) {
    return core::touch(core_, std::move(key), now, lifetime);
}

asio::awaitable<std::vector<result<std::optional<record>>>>
layered_backend::load_many(std::vector<std::string> keys) {
    return core::load_many(core_, std::move(keys));
}

asio::awaitable<std::vector<result<void>>>
layered_backend::store_many(std::vector<keyed_record> records) {
    return core::store_many(core_, std::move(records));
}

asio::awaitable<std::vector<result<void>>>
layered_backend::erase_many(std::vector<std::string> keys) {
    return core::erase_many(core_, std::move(keys));
}

asio::awaitable<clear_progress> layered_backend::clear_all(clear_options options) {
    return core::clear_all(core_, std::move(options));
}

asio::awaitable<clear_progress> layered_backend::clear_expired(clear_options options,
                                                               timestamp now) {
    return core::clear_expired(core_, std::move(options), now);
}

asio::awaitable<void> layered_backend::close() {
    return core::close(core_);
}

template CODYNAMO_API std::shared_ptr<detail::backend_interface>
    detail::erase_backend(layered_backend);

} // namespace codynamo
