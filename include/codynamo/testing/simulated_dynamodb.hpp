// SPDX-License-Identifier: BSL-1.0
// A DynamoDB in a virtual_world: one server, any number of clients, and a network between them that
// loses, delays, reorders and spoils.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/net/transport.hpp>
#include <codynamo/testing/detail/simulated_service.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/seeded_random.hpp>
#include <codynamo/testing/simulated_change.hpp>
#include <codynamo/testing/simulated_faults.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/crc.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

struct simulated_dynamodb_config {
    simulated_latency request{};
    simulated_latency answer{};
    simulated_faults faults{};
    /// How late an eventually consistent read may be; each key is late on its own, so reads seem
    /// reordered. 0: never.
    std::chrono::microseconds staleness{0};
    /// Share of eventually consistent reads that are late.
    double stale_reads = 0.5;
    /// Probability for each key of a batch to be left unprocessed.
    double unprocessed_keys = 0;
    /// Most items of a page of Scan and Query; 0 for no bound.
    std::size_t page_items = 0;
    /// How long a table takes to be created or deleted.
    std::chrono::microseconds table_time{200'000};
    /// Probability that an expired item is deleted when somebody comes across it.
    double ttl_deletion = 0.5;
    simulated_bug bug = simulated_bug::none;
    /// Called with a line for each request that arrives: to read what a failing seed did.
    std::function<void(std::string_view)> trace{};
};

class simulated_dynamodb;

/// One client's way to the server: a net::transport that can be given to anything that takes one.
/// Exchanges run side by side without a bound. Keeps the deadline and is cancelled like the real
/// one; a request on its way arrives all the same, also when its client has crashed. Neither the
/// server nor the client's process may be destroyed before it.
class simulated_connection final : public net::transport {
public:
    simulated_connection(simulated_dynamodb& server, virtual_process& client) noexcept
        : server_(server), client_(client) {}

    [[nodiscard]] boost::asio::awaitable<net::send_outcome>
    send(net::exchange& what, net::send_options options) override;
    [[nodiscard]] boost::asio::awaitable<void> close() override;
    [[nodiscard]] net::transport_stats stats() const override {
        net::transport_stats seen;
        seen.open = under_way_;
        seen.reused = sent_;
        return seen;
    }

private:
    friend class simulated_dynamodb;

    /// A request and its answer on their way; shared, because each end may be given up.
    struct flight {
        explicit flight(virtual_process& of) : arrived(of) {}
        fake_request request;
        fake_response answer;
        virtual_signal arrived;
        std::uint64_t client = 0;
        std::uint64_t sent = 0;
        simulated_fault fault = simulated_fault::none;
    };
    struct counted {
        explicit counted(std::size_t& n) noexcept : number(n) { ++number; }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted() { --number; }
        std::size_t& number;
    };

    simulated_dynamodb& server_;
    virtual_process& client_;
    std::size_t under_way_ = 0;
    std::uint64_t sent_ = 0;
    bool closed_ = false;
};

/// The server. Simulates GetItem, PutItem, DeleteItem, UpdateItem (SET, REMOVE, ADD of numbers),
/// BatchGetItem, BatchWriteItem, Scan, Query, conditions, filters and projections over top-level
/// attributes, CreateTable, DescribeTable, DeleteTable, ListTables and both TimeToLive operations;
/// refuses the rest with UnknownOperationException. Each request takes effect at one moment, when
/// it arrives. Signatures are not checked.
class simulated_dynamodb {
public:
    explicit simulated_dynamodb(virtual_world& world,
                                simulated_dynamodb_config config = simulated_dynamodb_config())
        : config_(config), process_(world), service_(world, settings_of(config)) {}

    [[nodiscard]] std::shared_ptr<simulated_connection> connect(virtual_process& client) {
        return std::make_shared<simulated_connection>(*this, client);
    }
    /// An ACTIVE table with a hash key of type S, without waiting; native TTL on for
    /// `ttl_attribute` unless empty.
    void create_table(std::string name, std::string hash_key = "key",
                      std::string ttl_attribute = "ttl") {
        service_.tables().create(std::move(name), std::move(hash_key)).ttl_attribute =
            std::move(ttl_attribute);
    }
    /// The faults of the next exchanges, one after the other; afterwards chance decides again.
    void script(std::vector<simulated_fault> faults) {
        script_.assign(faults.begin(), faults.end());
    }
    void set_faults(const simulated_faults& faults) noexcept { config_.faults = faults; }

    /// Everything that changed an item, in the order in which it did.
    [[nodiscard]] const std::vector<simulated_change>& changes() const noexcept {
        return service_.changes();
    }
    /// Exchanges begun.
    [[nodiscard]] std::uint64_t exchanges() const noexcept { return exchanges_; }
    [[nodiscard]] std::uint64_t injected(simulated_fault which) const noexcept {
        return injected_[static_cast<std::size_t>(which)];
    }
    /// All faults injected, single unprocessed keys and late reads included.
    [[nodiscard]] std::uint64_t injected() const noexcept {
        std::uint64_t sum = service_.unprocessed() + service_.stale();
        for (std::size_t i = 1; i != injected_.size(); ++i)
            sum += injected_[i];
        return sum;
    }
    [[nodiscard]] virtual_world& world() const noexcept { return process_.world(); }

private:
    friend class simulated_connection;
    using flight_ptr = std::shared_ptr<simulated_connection::flight>;
    using fault = simulated_fault;

    static detail::service_settings settings_of(const simulated_dynamodb_config& c) noexcept {
        return {c.staleness,    c.stale_reads, c.unprocessed_keys, c.page_items, c.table_time,
                c.ttl_deletion, c.bug};
    }

    void depart(const flight_ptr& one) {
        virtual_world& w = world();
        ++exchanges_;
        if (script_.empty()) {
            one->fault = config_.faults.draw(w.random());
        } else {
            one->fault = script_.front();
            script_.pop_front();
        }
        ++injected_[static_cast<std::size_t>(one->fault)];
        const auto there = w.now() + config_.request.sample(w.random());
        if (one->fault == fault::request_silent) return;
        process_.call_at(there, [this, one] { arrive(one); });
    }
    void arrive(const flight_ptr& one) {
        switch (one->fault) {
        case fault::refused:
            one->answer =
                fake_response::network_error(make_error_code(errc::connect_failed), false);
            break;
        case fault::request_reset:
            one->answer =
                fake_response::network_error(make_error_code(errc::connection_lost), true);
            break;
        case fault::throttled:
            one->answer = failure({400, "ProvisionedThroughputExceededException", "slow down", {}});
            break;
        case fault::failed_before:
            one->answer = failure({500, "InternalServerError", "simulated", {}});
            break;
        default:
            answer(*one);
            break;
        }
        if (config_.trace) trace(*one);
        if (one->fault == fault::answer_silent) return;
        virtual_world& w = world();
        process_.call_at(w.now() + config_.answer.sample(w.random()),
                         [one] { one->arrived.notify(); });
    }
    void trace(const simulated_connection::flight& one) {
        constexpr std::string_view faults[] = {"",
                                               "refused",
                                               "request reset",
                                               "request silent",
                                               "answer reset",
                                               "answer silent",
                                               "throttled",
                                               "failed before",
                                               "failed after",
                                               "spoiled",
                                               "unprocessed"};
        std::string line = "tick " + std::to_string(world().tick()) + ", client " +
                           std::to_string(one.client) + " since " + std::to_string(one.sent) + ": ";
        line += one.request.operation();
        line += ' ' + one.request.body + " -> " + std::to_string(one.answer.status) + ' ';
        line += one.answer.body;
        line += ' ';
        line += faults[static_cast<std::size_t>(one.fault)];
        config_.trace(line);
    }
    void answer(simulated_connection::flight& one) {
        world().note(one.client);
        try {
            const detail::json::object done =
                service_.execute(one.request.operation(), one.request.body, {one.client, one.sent},
                                 one.fault == fault::unprocessed);
            one.answer = complete(200, boost::json::serialize(done));
        } catch (const detail::service_error& why) {
            one.answer = failure(why);
        }
        if (one.fault == fault::failed_after)
            one.answer = failure({500, "InternalServerError", "simulated", {}});
        if (one.fault == fault::answer_reset)
            one.answer = fake_response::network_error(make_error_code(errc::connection_lost), true);
        if (one.fault == fault::spoiled && !one.answer.body.empty())
            one.answer.body[world().random().below(one.answer.body.size())] ^= 1;
        world().note(one.answer.status * 1'000'003ULL + one.answer.body.size());
    }
    fake_response failure(const detail::service_error& why) {
        detail::json::object body{
            {"__type", "com.amazonaws.dynamodb.v20120810#" + std::string(why.code)},
            {"message", why.message}};
        if (why.item) body["Item"] = *why.item;
        return complete(why.status, boost::json::serialize(body));
    }
    fake_response complete(unsigned status, std::string body) {
        boost::crc_32_type crc;
        crc.process_bytes(body.data(), body.size());
        fake_response made;
        made.status = status;
        made.headers = {{"x-amzn-RequestId", "simulated-" + std::to_string(exchanges_)},
                        {"x-amz-crc32", std::to_string(crc.checksum())},
                        {"Date", http_date()}};
        made.body = std::move(body);
        return made;
    }
    /// "Tue, 14 Nov 2023 22:13:20 GMT".
    [[nodiscard]] std::string http_date() const {
        constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        const auto now = std::chrono::floor<std::chrono::seconds>(world().wall());
        const auto day = std::chrono::floor<std::chrono::days>(now);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss time(now - day);
        char text[64];
        const int length = std::snprintf(
            text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
            days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
            months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
            static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()));
        return {text, static_cast<std::size_t>(length)};
    }

    simulated_dynamodb_config config_;
    virtual_process process_;
    detail::simulated_service service_;
    std::deque<fault> script_;
    std::uint64_t exchanges_ = 0;
    std::array<std::uint64_t, simulated_fault_count> injected_{};
};

inline boost::asio::awaitable<net::send_outcome>
simulated_connection::send(net::exchange& what, net::send_options options) {
    if (closed_) {
        net::send_outcome refused{make_error_code(errc::closed), false, "closed"};
        co_return refused;
    }
    const counted guard(under_way_);
    const auto one = std::make_shared<flight>(client_);
    what.write(one->request.head, one->request.body);
    one->client = client_.id();
    one->sent = client_.world().tick();
    ++sent_;
    server_.depart(one);
    const bool arrived = co_await one->arrived.wait_until(options.deadline);
    net::send_outcome outcome{{}, true, {}};
    if (!arrived) {
        outcome.code = make_error_code(errc::timeout);
        outcome.message = "no answer in time";
        co_return outcome;
    }
    if (one->answer.error) {
        outcome.code = one->answer.error;
        outcome.sent = one->answer.sent;
        outcome.message = outcome.code.message();
        co_return outcome;
    }
    std::vector<net::header_view> headers;
    for (const auto& [name, value] : one->answer.headers)
        headers.push_back({name, value});
    net::response_view view;
    view.status = one->answer.status;
    view.headers = headers;
    view.body = one->answer.body;
    what.read(view);
    co_return outcome;
}

inline boost::asio::awaitable<void> simulated_connection::close() {
    closed_ = true;
    virtual_signal nobody(client_);
    while (under_way_ != 0)
        co_await nobody.wait_until(client_.world().now() + std::chrono::milliseconds(1));
}

} // namespace codynamo::testing
