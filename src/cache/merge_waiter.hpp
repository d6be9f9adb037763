// SPDX-License-Identifier: BSL-1.0
// Those who wait for company, the batches that they wait for, and the keys that are being written.
#pragma once

#include "cache/dynamodb_batch.hpp"
#include "cache/key_list.hpp"
#include "net/pool_core.hpp"
#include "net/unique_handler.hpp"

#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace codynamo::detail {

class gather;
class merge_waiter;
class merge_batch;

enum class merge_kind { read, write };

/// A request that counts as under way for as long as somebody holds this.
struct airborne;

/// How a wait ends.
enum class merge_wake {
    alone,    ///< send it yourself
    answered, ///< the batch knows
    timeout,
    aborted,
    no_memory,
};

/// In the list of all who wait, the oldest first.
struct age_link {
    age_link* prev = nullptr;
    age_link* next = nullptr;
};
/// In the list of those who wait for the same key.
struct share_link {
    share_link* prev = nullptr;
    share_link* next = nullptr;
};
using share_list = net::node_list<share_link>;

/// A key that is being written, and those who wait until that is over.
struct write_hold : boost::intrusive::set_base_hook<> {
    std::string_view key{};
    share_list behind{};
    friend bool operator<(const write_hold& a, const write_hold& b) noexcept {
        return a.key < b.key;
    }
};

/// One who may have to wait; lives in his coroutine's frame, and leaves with it. Between enter()
/// and the end of the frame he counts: as one who waits, or as a request under way.
class merge_waiter : age_link, share_link {
public:
    using self_ptr = std::shared_ptr<dynamodb_backend::core>;
    using time_point = std::chrono::steady_clock::time_point;

    merge_waiter() noexcept = default;
    merge_waiter(const merge_waiter&) = delete;
    merge_waiter& operator=(const merge_waiter&) = delete;
    ~merge_waiter();

    /// Asks to be sent. `self` and `key` must outlive the waiter. Afterwards waits() says whether
    /// wait() is to be awaited, or the request goes alone. Who may not be merged waits for earlier
    /// writes of his key only.
    void enter(const self_ptr& self, std::shared_ptr<gather> where, merge_kind kind,
               std::string_view key, std::size_t bytes = 0, bool may_merge = true);
    [[nodiscard]] bool waits() const noexcept { return must_wait_; }

    /// Awaitable, once; the result is a merge_wake. All types of cancellation end the wait. Call
    /// resumed() at once afterwards.
    [[nodiscard]] auto wait();
    void resumed() noexcept {
        if (slot_.is_connected()) slot_.clear(); // what it would call is about to go
    }

    /// After merge_wake::alone: the time that is left, as the timeout of a call.
    [[nodiscard]] std::chrono::milliseconds time_left() const;
    /// After the wait: whether the batch had been sent.
    [[nodiscard]] bool was_sent() const noexcept;

protected:
    // Valid after merge_wake::answered.
    [[nodiscard]] merge_batch& batch() const noexcept { return *batch_; }
    [[nodiscard]] std::size_t place() const noexcept { return place_; }
    /// Whether nobody else reads the outcome of this key.
    [[nodiscard]] bool is_sole() const noexcept { return sole_; }

private:
    friend class gather;
    friend class merge_batch;
    friend class net::node_list<age_link>;
    friend class net::node_list<share_link>;

    enum class state {
        outside,
        waiting, ///< in the list of all who wait, and in `list_`
        woken,
        alone, ///< counts as a request under way
    };

    static merge_waiter& of(age_link& link) noexcept { return static_cast<merge_waiter&>(link); }
    static merge_waiter& of(share_link& link) noexcept { return static_cast<merge_waiter&>(link); }

    std::shared_ptr<gather> where_;
    const self_ptr* self_ = nullptr;
    std::string_view key_;
    std::size_t bytes_ = 0;
    std::shared_ptr<merge_batch> batch_;
    share_list* list_ = nullptr; ///< of its batch, or behind an earlier write
    net::unique_handler<merge_wake> handler_;
    boost::asio::cancellation_slot slot_;
    time_point deadline_{};
    std::size_t place_ = 0; ///< of the key in the batch
    write_hold hold_;       ///< of a write that goes alone
    merge_kind kind_ = merge_kind::read;
    state state_ = state::outside;
    merge_wake early_ = merge_wake::alone; ///< woken before it was parked
    bool may_merge_ = true;
    bool must_wait_ = false;
    bool home_ = false; ///< its executor is that of the gather
    bool sole_ = false;
};

/// What is gathered, and then sent as one request.
class merge_batch : public std::enable_shared_from_this<merge_batch> {
public:
    using self_ptr = merge_waiter::self_ptr;
    using time_point = merge_waiter::time_point;

    explicit merge_batch(merge_kind kind) noexcept : kind_(kind) {}
    virtual ~merge_batch() = default;

    [[nodiscard]] const key_list& keys() const noexcept { return keys_; }
    /// When the last of those who wait has to go.
    [[nodiscard]] time_point deadline() const noexcept { return deadline_; }
    [[nodiscard]] bool has_departed() const noexcept { return departed_; }

protected:
    /// Takes over what those who wait have brought along; called once, under the lock.
    virtual void load() noexcept {}
    /// Sends it, and delivers. The batch and `where` outlive it.
    [[nodiscard]] virtual boost::asio::awaitable<void> fly(self_ptr self, gather& where,
                                                           std::shared_ptr<airborne> token) = 0;
    /// What becomes of a key when the flight ends without an outcome. Under the lock.
    [[nodiscard]] virtual merge_wake abandoned(std::size_t place) noexcept = 0;

    /// Of those who wait for a key the one who came last; null when nobody does. Under the lock.
    [[nodiscard]] merge_waiter* last_of(std::size_t place) const noexcept {
        share_link* const link = sharing_[place].back();
        return link ? &merge_waiter::of(*link) : nullptr;
    }

private:
    friend class gather;
    friend class merge_waiter;

    /// What a write adds to the batch. Of those that share a place any may be the last that is
    /// still wanted, which is sent: the largest counts.
    [[nodiscard]] std::size_t growth_at(std::size_t place, std::size_t bytes) const noexcept {
        if (kind_ == merge_kind::read || sharing_[place].empty()) return bytes;
        return bytes - std::min(bytes, bytes_[place]);
    }
    void note_bytes(std::size_t place, std::size_t bytes) noexcept {
        if (kind_ == merge_kind::read) return;
        bytes_[place] = sharing_[place].empty() ? bytes : std::max(bytes, bytes_[place]);
    }

    using strand = boost::asio::strand<boost::asio::any_io_executor>;

    const merge_kind kind_;
    key_list keys_;
    std::array<share_list, key_list::most> sharing_;
    std::array<write_hold, write_slice> holds_;    ///< of writes
    std::array<std::size_t, write_slice> bytes_{}; ///< of writes
    std::size_t waiters_ = 0;
    time_point deadline_{};
    bool departed_ = false;
    bool over_ = false;
    std::optional<strand> strand_;          ///< where it flies
    boost::asio::cancellation_signal stop_; ///< used there only
    std::shared_ptr<merge_batch> next_;     ///< to be launched, too
};

} // namespace codynamo::detail
