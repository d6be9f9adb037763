// SPDX-License-Identifier: BSL-1.0
// A table backend in virtual time whose requests stay on the wire until the test answers them.
#pragma once

#include "dynamodb/base64.hpp"
#include "support/log_lines.hpp"
#include "support/secrets.hpp"
#include "support/tap.hpp"

#include <codynamo/dynamodb_backend.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/virtual_clock.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace codynamo::test {

using testing::fake_request;
using testing::fake_response;

/// Requests in the order in which they were sent; each is answered, once, by its number.
class held_transport final : public net::transport {
public:
    explicit held_transport(testing::virtual_process& where) noexcept : where_(&where) {}

    /// From now on a request without an answer ends at its deadline.
    void keep_deadlines() noexcept { keeps_deadlines_ = true; }

    [[nodiscard]] boost::asio::awaitable<net::send_outcome>
    send(net::exchange& what, net::send_options options) override {
        const auto mine = std::make_shared<held>(*where_);
        what.write(mine->request.head, mine->request.body);
        all_.push_back(mine);
        const ended_guard guard{*mine};
        const auto never = testing::virtual_world::steady_point::max();
        const bool answered =
            co_await mine->answered.wait_until(keeps_deadlines_ ? options.deadline : never);
        if (!answered) {
            const auto late = make_error_code(errc::timeout);
            co_return net::send_outcome{late, true, late.message()};
        }
        const fake_response& response = mine->response;
        if (response.error)
            co_return net::send_outcome{response.error, response.sent, response.error.message()};
        net::response_view view;
        view.status = response.status;
        view.body = response.body;
        what.read(view);
        co_return net::send_outcome{{}, true, {}};
    }
    [[nodiscard]] boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

    [[nodiscard]] std::size_t count() const noexcept { return all_.size(); }
    [[nodiscard]] const fake_request& request(std::size_t n) const { return all_.at(n)->request; }
    [[nodiscard]] std::string operation(std::size_t n) const {
        return std::string(request(n).operation());
    }
    [[nodiscard]] bool has_ended(std::size_t n) const { return all_.at(n)->ended; }
    void answer(std::size_t n, fake_response with) {
        all_.at(n)->response = std::move(with);
        all_.at(n)->answered.notify();
    }

private:
    struct held {
        explicit held(testing::virtual_process& where) : answered(where) {}
        fake_request request;
        fake_response response;
        testing::virtual_signal answered;
        bool ended = false;
    };
    struct ended_guard {
        held& which;
        ~ended_guard() { which.ended = true; }
    };

    testing::virtual_process* where_;
    std::vector<std::shared_ptr<held>> all_;
    bool keeps_deadlines_ = false;
};

/// What became of a coroutine.
template <class T>
struct spawned {
    boost::asio::cancellation_signal signal;
    bool ended = false;
    std::exception_ptr why;
    std::optional<T> value;

    /// The errc of the failure; 0 for a success, −1 for a cancellation, −2 while it is under way.
    [[nodiscard]] int code() const {
        if (!ended) return -2;
        if (!why) return 0;
        try {
            std::rethrow_exception(why);
        } catch (const error& e) {
            return e.code().value();
        } catch (const boost::system::system_error& e) {
            return e.code() == boost::asio::error::operation_aborted ? -1 : -3;
        } catch (...) {
            return -3;
        }
    }
    [[nodiscard]] bool is(errc expected) const { return code() == static_cast<int>(expected); }
};
using got = spawned<std::optional<record>>;
using wrote = spawned<bool>;

struct held_world {
    explicit held_world(batching_config batching, bool consistent = false) {
        dynamodb_backend_config config;
        config.table_name = "cache";
        config.region = "us-east-1";
        config.endpoint = "http://held";
        config.credentials =
            aws::static_credentials({"AKIDEXAMPLE", std::string(testing_support::secrets::key)});
        config.env.time = std::make_shared<testing::virtual_clock>(*process);
        config.env.random = std::make_shared<testing::seeded_random>(1);
        config.env.variable = [](const char*) -> std::optional<std::string> {
            return std::nullopt;
        };
        config.env.log.level = log_level::warning;
        config.env.log.sink = log.sink();
        config.env = testing_support::tapped(std::move(config.env));
        config.transport = wire;
        config.create = false;
        config.consistent_read = consistent;
        config.batching = batching;
        // One attempt each, so that an answer is an outcome.
        config.retry.max_attempts = 1;
        spawn_in<bool>(open(config, backend));
        settle();
        if (!backend) throw std::logic_error("the backend did not open");
    }

    /// Runs what can run without time going by.
    void settle() {
        while (world.ready() != 0)
            static_cast<void>(world.step());
    }
    void pass(std::chrono::microseconds by) {
        const auto until = world.now() + by;
        process->call_at(until, [] {});
        static_cast<void>(world.run_until([&] { return world.now() >= until; }));
        settle();
    }

    std::shared_ptr<got> get(std::string key) {
        auto made = spawn_in<std::optional<record>>(backend->load(std::move(key)));
        settle();
        return made;
    }
    std::vector<std::shared_ptr<got>> gets(const std::string& stem, std::size_t count) {
        std::vector<std::shared_ptr<got>> all;
        for (std::size_t i = 0; i != count; ++i)
            all.push_back(get(stem + std::to_string(i)));
        return all;
    }
    std::shared_ptr<wrote> set(std::string key, std::string value) {
        record r;
        r.value = std::move(value);
        r.written = timestamp(std::chrono::seconds(1'700'000'000));
        auto made = spawn_in<bool>(done(backend->store(std::move(key), std::move(r))));
        settle();
        return made;
    }
    std::shared_ptr<wrote> discard(std::string key) {
        auto made = spawn_in<bool>(done(backend->discard(std::move(key))));
        settle();
        return made;
    }

    void answer(std::size_t n, std::string body = "{}", unsigned status = 200) {
        fake_response response;
        response.status = status;
        response.body = std::move(body);
        wire->answer(n, std::move(response));
        settle();
    }
    void refuse(std::size_t n, const std::string& code, unsigned status = 400) {
        answer(n, R"({"__type":"x#)" + code + R"(","message":"words of the service"})", status);
    }
    /// Answers a BatchGetItem: the value of each key is the key; `left` are unprocessed.
    void answer_batch(std::size_t n, const std::vector<std::string>& left = {}) {
        namespace json = boost::json;
        json::value asked = json::parse(wire->request(n).body);
        json::array items, rest;
        for (const json::value& key : keys_of(asked)) {
            const std::string text(key.at("key").at("S").as_string());
            if (std::find(left.begin(), left.end(), text) != left.end()) {
                rest.push_back(key);
                continue;
            }
            json::object item = key.as_object();
            std::string value;
            dynamodb::append_base64(value, text);
            item["value"] = {{"B", value}};
            items.insert(items.begin(), item); // in any order
        }
        json::object body{{"Responses", {{"cache", items}}}};
        if (!rest.empty()) {
            keys_of(asked) = rest;
            body["UnprocessedKeys"] = asked.at("RequestItems");
        }
        answer(n, json::serialize(body));
    }
    /// How many keys a BatchGetItem asks for, or writes a BatchWriteItem has; 1 for others.
    [[nodiscard]] std::size_t size_of(std::size_t n) const {
        namespace json = boost::json;
        json::value asked = json::parse(wire->request(n).body);
        if (wire->operation(n) == "BatchGetItem") return keys_of(asked).size();
        if (wire->operation(n) == "BatchWriteItem")
            return asked.at("RequestItems").at("cache").as_array().size();
        return 1;
    }

    static boost::json::array& keys_of(boost::json::value& asked) {
        return asked.at("RequestItems").at("cache").at("Keys").as_array();
    }

    template <class T>
    std::shared_ptr<spawned<T>> spawn_in(boost::asio::awaitable<T> what) {
        auto made = std::make_shared<spawned<T>>();
        boost::asio::co_spawn(
            *process, keep(std::move(what), made),
            boost::asio::bind_cancellation_slot(made->signal.slot(), [made](std::exception_ptr e) {
                made->ended = true;
                made->why = std::move(e);
            }));
        return made;
    }
    template <class T>
    static boost::asio::awaitable<void> keep(boost::asio::awaitable<T> what,
                                             std::shared_ptr<spawned<T>> to) {
        co_await boost::asio::this_coro::reset_cancellation_state(
            boost::asio::enable_total_cancellation());
        to->value.emplace(co_await std::move(what));
    }
    static boost::asio::awaitable<bool> done(boost::asio::awaitable<void> what) {
        co_await std::move(what);
        co_return true;
    }
    static boost::asio::awaitable<bool> open(dynamodb_backend_config config,
                                             std::optional<dynamodb_backend>& to) {
        to = co_await dynamodb_backend::open(std::move(config));
        co_return true;
    }

    testing::virtual_world world{1, testing::virtual_world::order::fifo};
    std::unique_ptr<testing::virtual_process> process =
        std::make_unique<testing::virtual_process>(world);
    std::shared_ptr<held_transport> wire = std::make_shared<held_transport>(*process);
    testing_support::log_lines log;
    std::optional<dynamodb_backend> backend;
};

} // namespace codynamo::test
