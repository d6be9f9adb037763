// SPDX-License-Identifier: BSL-1.0
// Places for secrets that overwrite themselves when they go.
#pragma once

#include "aws/wipe.hpp"

#include <boost/container/pmr/memory_resource.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace codynamo::aws::detail {

class secret_string {
public:
    secret_string() = default;
    explicit secret_string(std::string text) noexcept { text_.swap(text); }
    explicit secret_string(std::string_view text) : text_(text) {}
    explicit secret_string(const char* text) : text_(text) {}
    secret_string(const secret_string&) = default;
    secret_string(secret_string&& other) noexcept { text_.swap(other.text_); }
    secret_string& operator=(secret_string other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~secret_string() { wipe(text_); }

    [[nodiscard]] std::string& text() noexcept { return text_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

private:
    std::string text_;
};

/// Where JSON with secrets is kept: every block is overwritten when it is given back.
class wiping_resource final : public boost::container::pmr::memory_resource {
private:
    void* do_allocate(std::size_t size, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t size, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
};

} // namespace codynamo::aws::detail
