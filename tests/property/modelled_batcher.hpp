// SPDX-License-Identifier: BSL-1.0
// A table backend whose requests are held, beside a model of the legal outcomes of its calls.
#pragma once

#include "property/batcher_server.hpp"
#include "unit/client/held_world.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace codynamo::property {

struct batcher_setting {
    batching_config batching{};
    unsigned key_count = 1;
    bool consistent = false;
    bool is_dropped = false; ///< at the end, with its executor
};
std::ostream& operator<<(std::ostream& out, const batcher_setting& of);

struct batcher_operation {
    enum kind { load, store, discard, erase, touch, load_many, store_many, cancel, wait, answer };
    kind action = load;
    unsigned key = 0;                      ///< or which call, or which request
    unsigned size = 0;                     ///< of a value
    unsigned callers = 0;                  ///< of load_many and store_many
    unsigned duration = 0;                 ///< of a wait: an index into batcher_waits
    answer_kind with = answer_kind::whole; ///< an answer
};
std::ostream& operator<<(std::ostream& out, const batcher_operation& of);

/// From no time at all to beyond the timeouts of an attempt and of a call.
inline constexpr std::chrono::microseconds batcher_waits[] = {
    std::chrono::microseconds(0), std::chrono::microseconds(300), std::chrono::milliseconds(1),
    std::chrono::milliseconds(2), std::chrono::milliseconds(40),  std::chrono::milliseconds(600),
    std::chrono::seconds(6),      std::chrono::seconds(11)};

/// Writes are a second apart by the times that they have in the table.
inline constexpr std::uint64_t first_write_second = 1'700'000'000;

class modelled_batcher {
public:
    explicit modelled_batcher(const batcher_setting& setting);

    void apply(const batcher_operation& of);
    /// Answers everything, or drops it; nothing may be left behind.
    void finish();

private:
    using time_point = std::chrono::steady_clock::time_point;
    using kind = batcher_operation::kind;
    struct reply {
        std::optional<record> loaded{};
        bool done = true;
    };
    struct call {
        kind action = kind::load;
        std::string key{};
        std::uint64_t number = 0; ///< of all calls; the table has it as the time of writing
        std::size_t versions = 0; ///< how often its key had been changed when it began
        time_point started{};
        time_point waits_since{}; ///< for others to share a request with
        bool was_behind = false;  ///< an earlier write of its key, at the last check
        bool is_sent = false;
        bool is_cancelled = false;
        std::set<errc> excuses{}; ///< what it may fail with
        std::shared_ptr<test::spawned<reply>> state{};
    };

    static request_source source_of(kind action) noexcept;
    static boost::asio::awaitable<reply> start(dynamodb_backend backend, kind action,
                                               std::string key, std::uint64_t number,
                                               std::size_t size);
    void begin(kind action, unsigned key, std::size_t size);
    void cancel(unsigned which);
    void answer(unsigned which, answer_kind kind, unsigned choice);
    void answer_all();

    /// Records requests and ends of calls since the last look, and checks them.
    void look();
    void note_request(std::size_t number);
    void note_dropped();
    void note_ended();
    void check_changes(const table_request& by, const std::vector<std::size_t>& before);
    void check_success(const call& of) const;
    void check_failure(const call& of, int code) const;
    void check_delays();
    void check_nothing_is_held();

    [[nodiscard]] std::vector<std::size_t> changes_of(const std::vector<std::string>& keys) const;
    /// What a key was after so many changes; null for no item.
    [[nodiscard]] const boost::json::object* item(const std::string& key,
                                                  std::size_t changes) const;
    /// The number of the call that wrote it; 0 for no item.
    [[nodiscard]] std::uint64_t writer(const std::string& key, std::size_t changes) const;

    const batcher_setting setting_;
    test::held_world world_;
    batcher_server server_{world_.world};
    std::vector<call> calls_;             ///< that have not ended
    std::vector<kind> kinds_{kind::load}; ///< of all calls, by number
    std::vector<table_request> requests_; ///< as many as have been noted
    std::vector<std::size_t> open_;       ///< those that are neither answered nor dropped
    std::map<std::string, std::uint64_t> last_store_;         ///< that has taken effect
    std::map<std::string, std::uint64_t> last_discard_;       ///< that was begun
    std::map<std::string, std::set<std::uint64_t>> discards_; ///< that have not succeeded
    std::set<std::uint64_t> withdrawn_; ///< stores that were cancelled before they were sent
    std::set<std::string> unprocessed_; ///< keys of writes
    bool has_failed_ = false;           ///< any request has
};

} // namespace codynamo::property
