// SPDX-License-Identifier: BSL-1.0
// Layers against a map: whatever the layer above holds or has let go of, a read tells the truth.
#include "property/check.hpp"
#include "support/run.hpp"
#include "support/tap.hpp"

#include <codynamo/layered_backend.hpp>
#include <codynamo/memory_backend.hpp>
#include <codynamo/testing/manual_clock.hpp>
#include <codynamo/testing/seeded_random.hpp>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

using namespace codynamo;
using namespace std::chrono_literals;

namespace {

constexpr unsigned key_count = 12;
constexpr ttl lifetimes[] = {for_ever, 5s, 100s, 2h, -1s};

struct layer_bounds {
    memory_eviction eviction = memory_eviction::w_tinylfu;
    std::size_t bytes = 0;
};
std::ostream& operator<<(std::ostream& out, const layer_bounds& of) {
    return out << "policy " << static_cast<int>(of.eviction) << ", " << of.bytes << " bytes above";
}

struct layered_operation {
    enum kind {
        load,
        load_now,
        peek,
        load_many,
        store,
        store_newer,
        store_many,
        erase,
        erase_many,
        touch,
        forward,
        back,
        clear,
        clear_expired
    };
    kind what = load;
    unsigned key = 0;
    unsigned size = 0;
    unsigned lifetime = 0;
    unsigned seconds = 0;
};
std::ostream& operator<<(std::ostream& out, const layered_operation& of) {
    constexpr const char* words[] = {"load",        "load_now",   "peek",  "load_many",    "store",
                                     "store_newer", "store_many", "erase", "erase_many",   "touch",
                                     "forward",     "back",       "clear", "clear_expired"};
    return out << words[of.what] << " k" << of.key << " of " << of.size << " for "
               << lifetimes[of.lifetime].count() << " us, " << of.seconds << " s";
}

rc::Gen<layer_bounds> any_layer_bounds() {
    return rc::gen::map(
        rc::gen::pair(rc::gen::element(memory_eviction::w_tinylfu, memory_eviction::s3_fifo,
                                       memory_eviction::lru),
                      rc::gen::element<std::size_t>(1'000, 150, 100'000)),
        [](const auto& of) {
            return layer_bounds{of.first, of.second};
        });
}

rc::Gen<layered_operation> any_layered_operation() {
    using enum layered_operation::kind;
    return rc::gen::map(
        rc::gen::tuple(rc::gen::weightedElement<layered_operation::kind>({{20, load},
                                                                          {8, load_now},
                                                                          {4, peek},
                                                                          {6, load_many},
                                                                          {20, store},
                                                                          {8, store_newer},
                                                                          {6, store_many},
                                                                          {6, erase},
                                                                          {3, erase_many},
                                                                          {6, touch},
                                                                          {8, forward},
                                                                          {5, back},
                                                                          {1, clear},
                                                                          {2, clear_expired}}),
                       rc::gen::inRange(0U, key_count),
                       rc::gen::weightedOneOf<unsigned>(
                           {{1, rc::gen::just(0U)}, {3, rc::gen::inRange(0U, 1'500U)}}),
                       rc::gen::inRange(0U, static_cast<unsigned>(std::size(lifetimes))),
                       rc::gen::inRange(0U, 200U)),
        [](const auto& of) {
            return layered_operation{std::get<0>(of), std::get<1>(of), std::get<2>(of),
                                     std::get<3>(of), std::get<4>(of)};
        });
}

std::string key_of(unsigned number) {
    return "k" + std::to_string(number % key_count);
}

class modelled_layers {
public:
    explicit modelled_layers(const layer_bounds& bounds)
        : bounds_(bounds),
          upper_({.max_bytes = bounds.bytes, .eviction = bounds.eviction, .env = env_}),
          layers_({any_backend(upper_), any_backend(memory_backend({.env = env_}))},
                  layered_backend_config{env_}) {}

    void apply(const layered_operation& of) {
        using enum layered_operation::kind;
        const std::string key = key_of(of.key);
        const std::string next = key_of(of.key + 1);
        switch (of.what) {
        case load:
            expect(key, run(layers_.load(key)));
            break;
        case load_now: {
            record out;
            if (layers_.load_now(key, out)) expect(key, out);
            break;
        }
        case peek:
            expect_times(key, run(layers_.peek(key)));
            break;
        case load_many: {
            const auto found = run(layers_.load_many({key, next}));
            RC_ASSERT(found.size() == 2U);
            expect(key, found[0].value());
            expect(next, found[1].value());
            break;
        }
        case store:
            run(layers_.store(key, keep(key, made(of))));
            break;
        case store_newer:
            store_newer_record(key, made(of));
            break;
        case store_many: {
            std::vector<keyed_record> both;
            for (const std::string& each : {key, next})
                both.push_back({each, keep(each, made(of))});
            for (const auto& outcome : run(layers_.store_many(both)))
                RC_ASSERT(outcome.has_value());
            break;
        }
        case erase:
            (void)run(layers_.erase(key));
            model_.erase(key);
            break;
        case erase_many:
            (void)run(layers_.erase_many({key, next}));
            model_.erase(key);
            model_.erase(next);
            break;
        case touch:
            touch_record(key, lifetimes[of.lifetime]);
            break;
        case forward:
            clock_->shift_wall(std::chrono::seconds(of.seconds));
            break;
        case back:
            clock_->shift_wall(-std::chrono::seconds(of.seconds));
            break;
        case clear:
            (void)run(layers_.clear_all({}));
            model_.clear();
            break;
        case clear_expired:
            (void)run(layers_.clear_expired({}, clock_->now()));
            std::erase_if(model_, [this](const auto& one) { return !fresh(one.second); });
            break;
        }
        check();
    }

private:
    template <class T>
    static T run(boost::asio::awaitable<T> what) {
        return test_support::run(std::move(what));
    }
    [[nodiscard]] bool fresh(const record& r) const { return is_fresh(r, clock_->now()); }
    [[nodiscard]] record made(const layered_operation& of) {
        const char filler = static_cast<char>('a' + ++stores_ % 26);
        return {std::string(of.size, filler), clock_->now(), lifetimes[of.lifetime], {}};
    }
    record keep(const std::string& key, const record& r) {
        kept_.insert(key);
        return model_[key] = r;
    }
    [[nodiscard]] const record* truth(const std::string& key) const {
        const auto at = model_.find(key);
        return at == model_.end() ? nullptr : &at->second;
    }
    /// What has expired may be there or not: by a clock that was ahead it may have been dropped.
    void expect_times(const std::string& key, const std::optional<record>& found) const {
        const record* const right = truth(key);
        if (!found) {
            RC_ASSERT(right == nullptr || !kept_.contains(key));
            return;
        }
        RC_ASSERT(right != nullptr);
        RC_ASSERT(found->written == right->written);
        RC_ASSERT(found->lifetime == right->lifetime);
    }
    void expect(const std::string& key, const std::optional<record>& found) const {
        expect_times(key, found);
        if (found) RC_ASSERT(found->value == truth(key)->value);
    }
    void store_newer_record(const std::string& key, const record& r) {
        const record* const old = truth(key);
        const bool stored = run(layers_.store_newer(key, r));
        if (!old || old->written <= r.written) RC_ASSERT(stored);
        if (stored) (void)keep(key, r);
    }
    void touch_record(const std::string& key, ttl lifetime) {
        const bool touched = run(layers_.touch(key, clock_->now(), lifetime));
        if (kept_.contains(key)) RC_ASSERT(touched);
        if (!touched) return;
        RC_ASSERT(truth(key) != nullptr);
        record r = *truth(key);
        r.written = clock_->now();
        r.lifetime = lifetime;
        (void)keep(key, r);
    }
    /// After every step: the bound above is held, and what is above is the truth or has expired.
    void check() {
        RC_ASSERT(upper_.stats().bytes <= bounds_.bytes);
        std::erase_if(kept_, [this](const std::string& key) {
            const record* const right = truth(key);
            return right == nullptr || !fresh(*right);
        });
        for (unsigned i = 0; i != key_count; ++i) {
            record out;
            if (upper_.load_now(key_of(i), out) && fresh(out)) expect(key_of(i), out);
        }
    }

    layer_bounds bounds_;
    std::shared_ptr<testing::manual_clock> clock_ = std::make_shared<testing::manual_clock>();
    std::shared_ptr<testing::seeded_random> random_ = std::make_shared<testing::seeded_random>(1);
    environment env_ = testing_support::tapped({.time = clock_, .random = random_});
    memory_backend upper_;
    layered_backend layers_;
    std::map<std::string, record> model_;
    std::set<std::string>
        kept_; ///< keys whose record was fresh after each step since it was stored
    unsigned stores_ = 0;
};

} // namespace

TEST_CASE("layers tell the truth, whatever is done to them and to the clock") {
    property::check(
        any_layer_bounds(), any_layered_operation(), 10'000,
        [](const layer_bounds& bounds, const std::vector<layered_operation>& operations) {
            modelled_layers m(bounds);
            for (const layered_operation& each : operations)
                m.apply(each);
            return operations.size();
        });
}
