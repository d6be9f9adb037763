// SPDX-License-Identifier: BSL-1.0

#include <codynamo/detail/recycled.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <new>

namespace codynamo::detail {
namespace {

constexpr std::size_t step = 16;
constexpr std::size_t largest = 2048;
constexpr std::size_t most_kept = 256 * 1024;

/// Blocks of one thread, in lists by size.
class frame_pool {
public:
    frame_pool() noexcept = default;
    frame_pool(const frame_pool&) = delete;
    frame_pool& operator=(const frame_pool&) = delete;
    ~frame_pool() {
        gone_ = true;
        clear();
    }
    void clear() noexcept {
        kept_ = 0;
        for (node*& list : lists_)
            while (node* const first = list) {
                list = first->next;
                ::operator delete(first);
            }
    }

    /// Null when the thread is ending.
    static frame_pool* of_thread() noexcept {
        thread_local frame_pool pool;
        return gone_ ? nullptr : &pool;
    }

    void* take(std::size_t size_class) noexcept {
        node* const first = lists_[size_class];
        if (!first) return nullptr;
        lists_[size_class] = first->next;
        kept_ -= size_class * step;
        return first;
    }

    bool give(void* block, std::size_t size_class) noexcept {
        if (kept_ + size_class * step > most_kept) return false;
        lists_[size_class] = ::new (block) node{lists_[size_class]};
        kept_ += size_class * step;
        return true;
    }

private:
    struct node {
        node* next;
    };

    static thread_local bool gone_; // outlives the pool, for frames that are destroyed after it
    std::array<node*, largest / step + 1> lists_{};
    std::size_t kept_ = 0;
};

thread_local bool frame_pool::gone_ = false;

#if defined(__has_feature) // Clang's word for it
#define CODYNAMO_HAS_FEATURE(what) __has_feature(what)
#else
#define CODYNAMO_HAS_FEATURE(what) 0
#endif
// A sanitizer is to see each frame's end.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    CODYNAMO_HAS_FEATURE(address_sanitizer) || CODYNAMO_HAS_FEATURE(thread_sanitizer) ||           \
    CODYNAMO_HAS_FEATURE(memory_sanitizer)
constexpr bool recycles = false;
#else
constexpr bool recycles = true;
#endif

constexpr std::size_t class_of(std::size_t bytes) noexcept {
    return (bytes + step - 1) / step;
}

} // namespace

void* take_frame(std::size_t bytes) {
    if (recycles && bytes <= largest)
        if (frame_pool* const pool = frame_pool::of_thread())
            if (void* const block = pool->take(class_of(bytes))) return block;
    return ::operator new(class_of(bytes) * step);
}

void give_frame(void* block, std::size_t bytes) noexcept {
    if (recycles && bytes <= largest)
        if (frame_pool* const pool = frame_pool::of_thread();
            pool && pool->give(block, class_of(bytes)))
            return;
    ::operator delete(block);
}

void free_kept_frames() noexcept {
    if (frame_pool* const pool = frame_pool::of_thread()) pool->clear();
}

thrown cancelled() noexcept {
    try {
        // Never destroyed: there may be coroutines that end after the program's statics.
        static const auto& why = *new const std::exception_ptr(std::make_exception_ptr(
            boost::system::system_error(boost::asio::error::operation_aborted)));
        return {why};
    } catch (...) {
        return {std::current_exception()};
    }
}

} // namespace codynamo::detail
