// SPDX-License-Identifier: BSL-1.0
// Each allocation of each core that does no I/O fails once: std::bad_alloc comes out, nothing
// leaks, what was there before is whole, and the next try succeeds.
#include "allocation_failures.hpp"
#include "cache/key_list.hpp"
#include "cache/memory_store.hpp"
#include "cache/record_item.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/request_fsm.hpp"
#include "net/pool_core.hpp"
#include "net/wire.hpp"

#include <codynamo/aws/profile.hpp>
#include <codynamo/aws/sigv4.hpp>
#include <codynamo/json_serializer.hpp>
#include <codynamo/testing/linearizability.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace codynamo;
using namespace std::chrono_literals;
using codynamo::test::fail_each_allocation;

namespace {

/// Where there is nothing to be kept whole but the heap.
bool nothing_to_keep() {
    return true;
}

template <class What, class Good>
void check(const char* name, std::size_t least, What what, Good good) {
    INFO(name);
    const std::size_t allocations = fail_each_allocation(what, good);
    std::printf("%s: %d allocations, each failed once\n", name, static_cast<int>(allocations) - 1);
    CHECK(allocations > least);
}

/// Text that no small string holds.
std::string long_text(char c) {
    return std::string(100, c);
}

dynamodb::item big_item() {
    dynamodb::item made;
    made.emplace("key", long_text('k'));
    made.emplace("number", dynamodb::number(42));
    made.emplace("bytes", dynamodb::binary{long_text('b')});
    dynamodb::list list;
    list.emplace_back(long_text('l'));
    dynamodb::map map;
    map.emplace(long_text('n'), dynamodb::attribute_value(std::move(list)));
    made.emplace("map", dynamodb::attribute_value(std::move(map)));
    return made;
}

constexpr std::string_view get_item_answer =
    R"({"Item":{"key":{"S":"a key that is too long for the small string of any library"},)"
    R"("value":{"B":"YSB2YWx1ZSB0aGF0IGlzIHRvbyBsb25nIGZvciB0aGUgc21hbGwgc3RyaW5n"},)"
    R"("expire":{"N":"12.5"},"update_ts":{"N":"1700000000.25"},)"
    R"("more":{"M":{"list":{"L":[{"S":"\u00e4 and so on and so on and so on"},{"N":"1"}]}}}}})";

} // namespace

TEST_CASE("encoding requests survives every failing allocation") {
    dynamodb::get_item_input get;
    get.table_name = "table";
    get.key.emplace("key", long_text('k'));
    get.names.emplace("#n", long_text('n'));
    get.projection_expression = "#n";
    dynamodb::batch_write_item_input batch;
    for (int i = 0; i != 5; ++i)
        batch.request_items["table"].push_back({.is_put = true, .item = big_item()});
    dynamodb::update_item_input update;
    update.table_name = "table";
    update.key = get.key;
    update.update_expression = "SET a = :a";
    update.values.emplace(":a", dynamodb::attribute_value(big_item()));
    const auto encoded = [](const auto& in) {
        std::string out;
        dynamodb::encode(in, out);
        return out;
    };
    check(
        "encode GetItem", 1, [&] { return encoded(get); }, nothing_to_keep);
    check(
        "encode BatchWriteItem", 1, [&] { return encoded(batch); }, nothing_to_keep);
    check(
        "encode UpdateItem", 1, [&] { return encoded(update); }, nothing_to_keep);
    check(
        "validate UpdateItem", 0,
        [&] {
            dynamodb::validate(update);
            return 0;
        },
        nothing_to_keep);
}

TEST_CASE("the keys and answers of batches survive every failing allocation") {
    detail::key_list kept;
    static_cast<void>(kept.add(long_text('a')));
    check(
        "key_list", 1,
        [] {
            detail::key_list made;
            for (const char c : {'a', 'b', 'a', 'c'})
                static_cast<void>(made.add(long_text(c)));
            return made;
        },
        nothing_to_keep);
    char next = 'b';
    check(
        "key_list::add", 0,
        [&] {
            std::string key = long_text(next);
            return kept.add(key);
        },
        [&] { return kept.size() <= 2 && kept[0] == long_text('a') && kept.find(long_text('a')); });
    struct answers final : detail::batch_answers {
        void found(std::string_view, result<record> what) override { all.push_back(what); }
        void left(std::string_view key) override { keys.emplace_back(key); }
        std::vector<result<record>> all;
        std::vector<std::string> keys;
    };
    const std::string batch =
        R"({"Responses":{"table":[)" +
        std::string(get_item_answer.substr(8, get_item_answer.size() - 9)) +
        R"(,{"key":{"S":"no record at all, for want of a value"}}]},)" +
        R"("UnprocessedKeys":{"table":{"Keys":[{"key":{"S":"left for later, for much later"}}]}}})";
    const record_attributes names;
    check(
        "read BatchGetItem", 5,
        [&] {
            answers seen;
            detail::decode_batch(names, batch, seen);
            return seen.all.size();
        },
        nothing_to_keep);
}

TEST_CASE("decoding responses and errors survives every failing allocation") {
    check(
        "decode GetItem", 5,
        [] {
            dynamodb::get_item_output out;
            dynamodb::decode(get_item_answer, out);
            return out;
        },
        nothing_to_keep);
    const std::string batch =
        R"({"Responses":{"table":[)" +
        std::string(get_item_answer.substr(8, get_item_answer.size() - 9)) + R"(]},)" +
        R"("UnprocessedKeys":{"table":{"Keys":[{"key":{"S":"left for later, for much later"}}]}}})";
    check(
        "decode BatchGetItem", 5,
        [&] {
            dynamodb::batch_get_item_output out;
            dynamodb::decode(batch, out);
            return out;
        },
        nothing_to_keep);
    const std::string failure =
        R"({"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",)"
        R"("message":"The conditional request failed, as conditional requests do now and then",)" +
        std::string(get_item_answer.substr(1));
    check(
        "decode an error", 3,
        [&] {
            net::response_view view;
            view.status = 400;
            view.body = failure;
            return dynamodb::decode_failure(view);
        },
        nothing_to_keep);
}

TEST_CASE("reading and writing records survives every failing allocation") {
    const record_attributes names;
    check(
        "decode a record", 1,
        [&] { return codynamo::detail::decode_record(names, get_item_answer); }, nothing_to_keep);
    check(
        "a record to an item and back", 3,
        [&] {
            record r;
            r.value = long_text('v');
            r.lifetime = 1500ms;
            const dynamodb::item item =
                codynamo::detail::to_item(names, long_text('k'), std::move(r));
            return codynamo::detail::to_record(names, item);
        },
        nothing_to_keep);
}

TEST_CASE("the JSON serializer survives every failing allocation") {
    const json_serializer<boost::json::value> policy;
    const std::string text = R"({"a":[1,2.5,"a text that is too long for a small string",)"
                             R"({"deep":[[[null,true]]]}],"b":"\u00e4\u00f6\u00fc and so on"})";
    const boost::json::value value = policy.deserialize(text);
    check(
        "parse JSON", 3, [&] { return policy.deserialize(text); }, nothing_to_keep);
    check(
        "write JSON", 1, [&] { return policy.serialize(value); }, nothing_to_keep);
}

TEST_CASE("signing survives every failing allocation, and signs as before afterwards") {
    const auto when = std::chrono::sys_days(std::chrono::year(2015) / 8 / 30) + 12h;
    const aws::credentials who{"AKIDEXAMPLE", long_text('s'), long_text('t')};
    aws::signable_request request;
    request.method = "POST";
    request.target = "/a%20path?with=a&query=" + long_text('q');
    request.headers = {{"Host", "dynamodb.us-east-1.amazonaws.com"}, {"X-More", long_text('h')}};
    request.body = long_text('b');
    const aws::signing_scope scope{"us-east-1", "dynamodb"};
    const std::string signature = aws::sign(request, who, scope, when).signature;
    check(
        "sign", 5, [&] { return aws::sign(request, who, scope, when); },
        [&] { return aws::sign(request, who, scope, when).signature == signature; });

    const auto shared = std::make_shared<const aws::credentials>(who);
    const auto head = [&](aws::json_request_signer& signer) {
        std::string text;
        signer.write_head(text, "DynamoDB_20120810.GetItem", "{}", shared, when);
        return text;
    };
    aws::json_request_signer fresh("dynamodb.us-east-1.amazonaws.com", scope);
    const std::string expected = head(fresh);
    check(
        "make a request signer and sign", 2,
        [&] {
            aws::json_request_signer made("dynamodb.us-east-1.amazonaws.com", scope);
            return head(made);
        },
        [&] { return head(fresh) == expected; });
    check(
        "sign again", 0, [&] { return head(fresh); }, [&] { return head(fresh) == expected; });
}

TEST_CASE("profile files survive every failing allocation") {
    const std::string config = "[default]\nregion = eu-central-1\n[profile a-profile-with-a-name]\n"
                               "s3 =\n  max_concurrent_requests = 20\nrole_arn = " +
                               long_text('r') + "\n[sso-session s]\nsso_region = x\n";
    const std::string credentials = "[default]\naws_access_key_id = " + long_text('i') + "\n";
    check(
        "parse profile files", 10, [&] { return aws::parse_profile_files(config, credentials); },
        nothing_to_keep);
}

TEST_CASE("the response parser survives every failing allocation and reads the next response") {
    const std::string body = long_text('b') + long_text('c');
    std::string text =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Long: " + long_text('x') +
        "\r\n folded\r\n\r\n";
    text += "64\r\n" + long_text('b') + "\r\n64\r\n" + long_text('c') + "\r\n0\r\n\r\n";
    const auto exchange = [&](net::wire& over) {
        over.reset();
        over.begin();
        over.head() = "POST / HTTP/1.1\r\nHost: a host with a name that is long\r\n\r\n";
        over.body() = long_text('q');
        (void)over.request();
        net::advance state = net::advance::more;
        for (std::string_view rest = text; state == net::advance::more && !rest.empty();) {
            const auto space = over.space();
            const std::size_t n = std::min({space.size(), rest.size(), std::size_t{7}});
            std::copy_n(rest.data(), n, space.data());
            rest.remove_prefix(n);
            state = over.received(n);
        }
        return state == net::advance::done && over.response().body == body;
    };
    const net::origin server{false, "host", 80};
    check(
        "read a response", 3,
        [&] {
            net::wire made(server, net::pool_config(), nullptr);
            return exchange(made);
        },
        nothing_to_keep);
    // The same wire goes on after each failure; what it keeps for later is not a leak, so it is
    // made anew with it.
    for (std::size_t n = 1;; ++n) {
        net::wire kept(server, net::pool_config(), nullptr);
        bool happened = false;
        {
            const test::failing_allocation one(n);
            try {
                (void)exchange(kept);
            } catch (const std::bad_alloc&) {
            }
            happened = one.happened();
        }
        CHECK(exchange(kept));
        if (!happened) break;
    }
}

TEST_CASE("the memory store survives every failing allocation with its books right") {
    const timestamp now{1h};
    const auto whole = [&](detail::memory_store& store) {
        std::size_t bytes = 0;
        std::size_t entries = 0;
        for (char c = 'a'; c <= 'j'; ++c) {
            const auto found = store.look(long_text(c));
            if (!found) continue;
            ++entries;
            bytes += detail::memory_store::cost(long_text(c), *found);
        }
        const memory_stats stats = store.stats();
        return stats.entries == entries && stats.bytes == bytes && entries <= 6;
    };
    const auto use = [&](detail::memory_store& store) {
        for (char c = 'a'; c <= 'j'; ++c) {
            auto made = std::make_shared<record>();
            made->value = long_text(c);
            made->written = now;
            made->lifetime = c % 3 == 0 ? 1ms : 1h;
            store.put(long_text(c), std::move(made));
        }
        store.erase(long_text('j'));
        (void)store.find(long_text('i'), now);
        detail::memory_store::sweep sweep;
        while (store.drop_expired(sweep, now + 10ms, 3)) {
        }
    };
    bool books_right = true;
    check(
        "use a memory store", 10,
        [&] {
            detail::memory_store store(1 << 20, 6);
            try {
                use(store);
            } catch (const std::bad_alloc&) {
                books_right = books_right && whole(store);
                throw;
            }
            books_right = books_right && whole(store);
            return 0;
        },
        [&] { return books_right; });
    // What has failed can be done again on the same store.
    for (std::size_t n = 1;; ++n) {
        detail::memory_store store(1 << 20, 6);
        bool happened = false;
        {
            const test::failing_allocation one(n);
            try {
                use(store);
            } catch (const std::bad_alloc&) {
            }
            happened = one.happened();
        }
        use(store);
        CHECK(whole(store));
        if (!happened) break;
    }
}

TEST_CASE("the connection pool decides without allocating") {
    check(
        "pool decisions", 0,
        [] {
            net::pool_core pool({.max_connections = 1, .min_idle = 0, .max_waiting = 5});
            const net::steady_time now{1h};
            net::pool_core::doomed doomed;
            net::pooled connection;
            std::array<net::queued, 3> waiters;
            (void)pool.admit(now, doomed);
            pool.adopt(connection);
            for (net::queued& one : waiters) {
                (void)pool.admit(now, doomed);
                pool.enqueue(one, now + 1s);
            }
            pool.leave(waiters[1]);
            (void)pool.release(connection, now, true);
            (void)pool.expire_waiter(now + 2s);
            (void)pool.release(connection, now, false);
            return pool.busy() + pool.idle() + pool.waiting();
        },
        nothing_to_keep);
    bool allocated = false;
    {
        const test::failing_allocation first(1);
        net::pool_core pool({.max_connections = 1, .min_idle = 0, .max_waiting = 5});
        net::queued waiter;
        pool.enqueue(waiter, net::steady_time{1h});
        pool.leave(waiter);
        allocated = first.happened();
    }
    CHECK_FALSE(allocated);
}

TEST_CASE("the request machine survives every failing allocation, and the circuit stays usable") {
    using namespace codynamo::dynamodb;
    const aws::retry_config retry;
    aws::retry_quota quota(1'000'000);
    testing::seeded_random random(1);
    circuit_breaker breaker(circuit_breaker_config(), "http://a-host-with-a-long-name.example");
    const request_fsm::time_point now{1h};
    const auto call = [&] {
        request_fsm machine({retry, quota, nullptr, random},
                            {now + 60s, std::chrono::milliseconds(5000), true, true});
        (void)machine.start();
        request_action next = machine.on_credentials(now, breaker);
        for (int i = 0; next.what != request_action::kind::done && i != 10; ++i) {
            if (next.what == request_action::kind::send) {
                attempt_outcome failed;
                failed.why = make_failure(errc::throttled, long_text('w'));
                next = machine.on_attempt(now, std::move(failed));
            } else if (next.what == request_action::kind::sleep) {
                next = machine.on_slept();
            } else {
                next = machine.on_credentials(now, breaker);
            }
        }
        return machine.result();
    };
    check("run the request machine", 3, call, [&] {
        const auto permission = breaker.ask(now);
        breaker.give_back(permission);
        return permission.granted && !permission.is_probe;
    });
}

TEST_CASE("the injection itself notices what swallows a failure, leaks, or is not whole") {
    const auto swallows = [] {
        try {
            return std::string(100, 'x');
        } catch (const std::bad_alloc&) {
            return std::string();
        }
    };
    CHECK(fail_each_allocation(swallows, nothing_to_keep) == 0);
    std::vector<std::unique_ptr<std::string>> kept;
    kept.reserve(10);
    const auto leaks = [&] {
        kept.push_back(std::make_unique<std::string>("x"));
        return std::string(100, 'x');
    };
    CHECK(fail_each_allocation(leaks, nothing_to_keep) == 0);
    const auto fine = [] { return std::string(100, 'x'); };
    CHECK(fail_each_allocation(fine, [] { return false; }) == 0);
    CHECK(fail_each_allocation(fine, nothing_to_keep) == 2);
}
