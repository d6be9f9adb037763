// SPDX-License-Identifier: BSL-1.0
// Which address is tried when, as scripts.
#include "net/connect_schedule.hpp"
#include "support/catch.hpp"

#include <string>

using namespace codynamo::net;
using namespace std::chrono_literals;

namespace {

using action = connect_schedule::action;
const connect_schedule::time_point t0 = connect_schedule::time_point{} + 1000s;

// Runs the schedule to the millisecond; `fails[i]`: how long after its start address i fails.
// The answer lists the starts as "address@ms", and when all is lost.
std::string played(std::size_t addresses, std::chrono::milliseconds delay,
                   const std::vector<std::chrono::milliseconds>& fails) {
    connect_schedule schedule(addresses, delay);
    std::vector<std::chrono::milliseconds> fails_at(addresses, -1ms);
    std::string text;
    for (auto now = 0ms; now < 100s; now += 1ms) {
        for (auto& at : fails_at)
            if (at == now) {
                schedule.failed();
                at = -1ms;
            }
        for (bool going = true; going;) {
            const auto next = schedule.next(t0 + now);
            const auto stamp = std::to_string(now.count());
            switch (next.what) {
            case action::start:
                text += std::to_string(next.address) + "@" + stamp + " ";
                if (fails[next.address] == 0ms)
                    schedule.failed();
                else
                    fails_at[next.address] = now + fails[next.address];
                break;
            case action::lost:
                return text + "lost@" + stamp;
            case action::wait:
                CHECK(next.until > t0 + now);
                going = false;
                break;
            }
        }
    }
    return text + "waiting";
}

} // namespace

TEST_CASE("the families take turns, beginning with the first address's") {
    struct row {
        std::vector<bool> is_v6;
        std::vector<std::size_t> order;
    };
    const row rows[] = {
        {{}, {}},
        {{false}, {0}},
        {{true, true}, {0, 1}},
        {{true, false}, {0, 1}},
        {{false, true}, {0, 1}},
        {{true, true, true, false, false}, {0, 3, 1, 4, 2}},
        {{false, false, true}, {0, 2, 1}},
        {{false, true, true, true}, {0, 1, 2, 3}},
        {{true, false, false, false, true}, {0, 1, 4, 2, 3}},
    };
    for (const auto& r : rows)
        CHECK(take_turns(r.is_v6) == r.order);
}

TEST_CASE("each address has a head start, and a failure ends it") {
    constexpr auto never = 1000s;
    struct row {
        const char* name;
        std::size_t addresses;
        std::vector<std::chrono::milliseconds> fails;
        std::string expected;
    };
    const row rows[] = {
        {"no address", 0, {}, "lost@0"},
        {"one, silent", 1, {never}, "0@0 waiting"},
        {"one, refused", 1, {3ms}, "0@0 lost@3"},
        {"one, at once", 1, {0ms}, "0@0 lost@0"},
        {"all silent", 3, {never, never, never}, "0@0 1@250 2@500 waiting"},
        {"the first refused", 3, {5ms, never, never}, "0@0 1@5 2@255 waiting"},
        {"all refused at once", 3, {0ms, 0ms, 0ms}, "0@0 1@0 2@0 lost@0"},
        {"one after the other", 3, {10ms, 20ms, 30ms}, "0@0 1@10 2@30 lost@60"},
        {"the first fails late", 3, {300ms, never, never}, "0@0 1@250 2@300 waiting"},
        {"all but the first fail", 3, {never, 1ms, 1ms}, "0@0 1@250 2@251 waiting"},
        {"all fail, the first last", 2, {700ms, 100ms}, "0@0 1@250 lost@700"},
        {"at the same moment", 2, {250ms, 250ms}, "0@0 1@250 lost@500"},
    };
    for (const auto& r : rows) {
        INFO(r.name);
        CHECK(played(r.addresses, 250ms, r.fails) == r.expected);
    }
}
