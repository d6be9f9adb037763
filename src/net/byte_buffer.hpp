// SPDX-License-Identifier: BSL-1.0
// Bytes that arrive: grows without initialising, keeps its storage for the next time, and
// overwrites it before giving it back, since they may be credentials.
#pragma once

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

namespace codynamo::net {

class byte_buffer {
public:
    byte_buffer() = default;
    byte_buffer(const byte_buffer&) = delete;
    byte_buffer& operator=(const byte_buffer&) = delete;
    ~byte_buffer() { release(); }

    [[nodiscard]] char* data() noexcept { return data_.get(); }
    [[nodiscard]] const char* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t room() const noexcept { return capacity_ - size_; }
    [[nodiscard]] char* end() noexcept { return data_.get() + size_; }

    void resize(std::size_t size) noexcept { size_ = size; } // within the capacity
    void clear() noexcept { size_ = 0; }

    /// Makes room for `n` more bytes.
    void make_room(std::size_t n) {
        if (room() >= n) return;
        const auto wanted = std::max(size_ + n, capacity_ + capacity_ / 2);
        auto grown = std::make_unique_for_overwrite<char[]>(wanted);
        if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
        wipe();
        data_ = std::move(grown);
        capacity_ = wanted;
    }

    void release() noexcept {
        wipe();
        data_.reset();
        size_ = capacity_ = 0;
    }

private:
    // All of it: an earlier and longer response may have left its end behind.
    void wipe() noexcept {
        if (data_) OPENSSL_cleanse(data_.get(), capacity_);
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace codynamo::net
