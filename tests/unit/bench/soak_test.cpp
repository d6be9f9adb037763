// SPDX-License-Identifier: BSL-1.0
// What the soak stores and how it judges what it is told.
#include "../../../bench/soak_judge.hpp"
#include "../../../bench/soak_value.hpp"
#include "support/catch.hpp"

#include <codynamo/dynamodb/failure_details.hpp>

#include <memory>
#include <optional>
#include <string>

namespace {

namespace db = codynamo::dynamodb;
using bench::key_verdict;
using bench::read_verdict;
using bench::write_outcome;

const std::string run = "0123456789abcdef";
const std::string prefix = "soak/";

bench::soak_identity version(std::uint64_t number) {
    return {run, 7, number};
}

db::item item(std::uint64_t number) {
    return bench::soak_item(prefix, version(number), 200);
}

db::item damaged() {
    db::item found = item(5);
    std::string bytes = bench::soak_value(version(5), 200);
    bytes[150] = static_cast<char>(bytes[150] ^ 1);
    found.insert_or_assign("value", db::binary{bytes});
    return found;
}

codynamo::failure failed(codynamo::errc code, bool unknown, db::item old_item = db::item()) {
    codynamo::diagnostics words;
    words.outcome_unknown = unknown;
    auto details = std::make_shared<db::failure_details>();
    details->old_item = std::move(old_item);
    words.details = std::move(details);
    return codynamo::make_failure(code, std::move(words));
}

} // namespace

TEST_CASE("a soak's value says who wrote it, whatever its size", "[bench]") {
    for (const std::size_t size : {bench::min_soak_value, std::size_t{97}, std::size_t{300'000}}) {
        const bench::soak_identity who{run, 4'294'967'295U, 18'446'744'073'709'551'615U};
        const std::string bytes = bench::soak_value(who, size);
        CHECK(bytes.size() == size);
        CHECK(bench::read_soak_value(bytes) == who);
        CHECK(bytes == bench::soak_value(who, size));
    }
    CHECK(bench::soak_value(version(1), 200) != bench::soak_value(version(2), 200));
    CHECK(bench::crc32_of("123456789") == 0xCBF43926U);
}

TEST_CASE("a soak's value with any bit changed, cut or grown is noticed", "[bench]") {
    const std::string good = bench::soak_value(version(3), 128);
    for (std::size_t at = 0; at < good.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string bytes = good;
            bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
            const auto read = bench::read_soak_value(bytes);
            CAPTURE(at, bit);
            CHECK_FALSE(read.has_value());
        }
        CHECK_FALSE(bench::read_soak_value(good.substr(0, at)).has_value());
    }
    CHECK_FALSE(bench::read_soak_value(good + "x").has_value());
}

TEST_CASE("an item is the soak's own only with all attributes right", "[bench]") {
    const auto seen = [](const db::item& found) {
        return bench::soak_version(found, prefix, version(0));
    };
    CHECK(seen(item(5)) == 5U);
    CHECK_FALSE(seen(damaged()).has_value());
    CHECK_FALSE(bench::soak_version(item(5), "other/", version(0)).has_value());
    CHECK_FALSE(bench::soak_version(item(5), prefix, {run, 8, 0}).has_value());
    CHECK_FALSE(bench::soak_version(item(5), prefix, {"fedcba9876543210", 7, 0}).has_value());
    for (const char* name : {"key", "version", "value"}) {
        db::item found = item(5);
        found.insert_or_assign(name, "else");
        CAPTURE(name);
        CHECK_FALSE(seen(found).has_value());
        found.erase(name);
        CHECK_FALSE(seen(found).has_value());
    }
    db::item more = item(5);
    more.emplace("more", 1);
    CHECK_FALSE(seen(more).has_value());
}

TEST_CASE("a read during a soak is judged by what was acknowledged and sent", "[bench]") {
    const auto judge = [](const std::optional<db::item>& found) {
        return bench::judge_read(found, prefix, version(0), 4, 6);
    };
    CHECK(bench::judge_read(std::nullopt, prefix, version(0), 0, 1) == read_verdict::absent);
    CHECK(judge(std::nullopt) == read_verdict::missing);
    CHECK(judge(item(3)) == read_verdict::stale);
    CHECK(judge(item(4)) == read_verdict::good);
    CHECK(judge(item(6)) == read_verdict::good);
    CHECK(judge(item(7)) == read_verdict::phantom);
    CHECK(judge(damaged()) == read_verdict::corrupt);
}

TEST_CASE("a write that met its own earlier attempt is acknowledged", "[bench]") {
    using codynamo::errc;
    const auto judge = [](const codynamo::failure& why) {
        return bench::judge_write(why, prefix, version(5));
    };
    const auto refused = errc::conditional_check_failed;
    CHECK(judge(failed(refused, true, item(5))) == write_outcome::acknowledged);
    CHECK(judge(failed(refused, false, item(6))) == std::nullopt);
    CHECK(judge(failed(refused, true, item(4))) == std::nullopt);
    CHECK(judge(failed(refused, true, damaged())) == std::nullopt);
    CHECK(judge(failed(refused, true)) == write_outcome::unknown);
    CHECK(judge(failed(errc::timeout, true)) == write_outcome::unknown);
    CHECK(judge(failed(errc::connect_failed, false)) == write_outcome::failed);
    CHECK(judge(codynamo::failure{errc::timeout, nullptr}) == write_outcome::unknown);
}

TEST_CASE("a key after a soak is judged by its log", "[bench]") {
    const bench::logged_key logged{.acknowledged = 4, .unknown = {6}, .failed = {5}};
    const bench::logged_key none{.acknowledged = 0, .unknown = {1}, .failed = {}};
    struct row {
        const bench::logged_key& key;
        std::optional<db::item> found;
        key_verdict ended;
        key_verdict killed;
    };
    const row rows[] = {
        {logged, std::nullopt, key_verdict::lost, key_verdict::lost},
        {logged, item(3), key_verdict::lost, key_verdict::lost},
        {logged, item(4), key_verdict::as_acknowledged, key_verdict::as_acknowledged},
        {logged, item(5), key_verdict::wrong, key_verdict::wrong},
        {logged, item(6), key_verdict::newer, key_verdict::newer},
        {logged, item(7), key_verdict::wrong, key_verdict::newer},
        {logged, damaged(), key_verdict::wrong, key_verdict::wrong},
        {none, std::nullopt, key_verdict::nothing, key_verdict::nothing},
        {none, item(1), key_verdict::newer, key_verdict::newer},
        {none, item(2), key_verdict::wrong, key_verdict::newer},
    };
    for (const row& each : rows) {
        CAPTURE(&each - rows);
        CHECK(bench::judge_key(each.found, prefix, version(0), each.key, true) == each.ended);
        CHECK(bench::judge_key(each.found, prefix, version(0), each.key, false) == each.killed);
    }
}
