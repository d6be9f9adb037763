// SPDX-License-Identifier: BSL-1.0
// A memory against a model that remembers everything: it may have let go of things, but it never
// has anything else, keeps its bounds, and counts right.
#include "cache/memory_store.hpp"
#include "property/check.hpp"
#include "property/live_heap.hpp"

#include <codynamo/testing/seeded_random.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

using namespace codynamo;
using namespace codynamo::detail;
using namespace std::chrono_literals;

namespace {

struct store_bounds {
    std::size_t bytes = 0;
    std::size_t entries = 0;
};
std::ostream& operator<<(std::ostream& out, const store_bounds& of) {
    return out << of.bytes << " bytes, " << of.entries << " entries";
}

struct operation {
    enum kind { set, set_newer, get, get_missing, erase, forward, back, settle, sweep, clear };
    kind what = set;
    unsigned key = 0;
    unsigned size = 0;     ///< of the value; thousandths of the bound
    unsigned lifetime = 0; ///< which
    unsigned seconds = 0;
};

constexpr ttl lifetimes[] = {for_ever, 5s, 100s, 2h, -1s, ttl(1), 100h, ttl::max(), ttl::min()};

std::ostream& operator<<(std::ostream& out, const operation& of) {
    constexpr const char* words[] = {"set",     "set_newer", "get",    "get_missing", "erase",
                                     "forward", "back",      "settle", "sweep",       "clear"};
    out << words[of.what];
    if (of.what <= operation::erase) out << " k" << of.key;
    if (of.what <= operation::set_newer)
        out << " of " << of.size << " thousandths for " << lifetimes[of.lifetime].count() << " us";
    if (of.what == operation::forward || of.what == operation::back)
        out << " " << of.seconds << " s";
    return out;
}

rc::Gen<store_bounds> any_bounds() {
    return rc::gen::map(
        rc::gen::pair(rc::gen::element<std::size_t>(1'000, 10'000, 150, 2'500, 100'000),
                      rc::gen::element<std::size_t>(1'000'000, 1, 2, 7)),
        [](const auto& of) {
            return store_bounds{of.first, of.second};
        });
}

rc::Gen<operation> any_operation() {
    using enum operation::kind;
    return rc::gen::map(
        rc::gen::tuple(
            rc::gen::weightedElement<operation::kind>({{40, set},
                                                       {5, set_newer},
                                                       {25, get},
                                                       {4, get_missing},
                                                       {6, erase},
                                                       {6, forward},
                                                       {3, back},
                                                       {2, settle},
                                                       {1, sweep},
                                                       {1, clear}}),
            rc::gen::inRange(0U, 20U),
            rc::gen::weightedOneOf<unsigned>({{2, rc::gen::just(0U)},
                                              {4, rc::gen::inRange(0U, 100U)},
                                              {3, rc::gen::inRange(0U, 1100U)}}),
            rc::gen::weightedOneOf<unsigned>(
                {{3, rc::gen::just(0U)},
                 {2, rc::gen::inRange(0U, static_cast<unsigned>(std::size(lifetimes)))}}),
            rc::gen::weightedOneOf<unsigned>({{3, rc::gen::inRange(0U, 10U)},
                                              {2, rc::gen::inRange(0U, 10'000U)},
                                              {1, rc::gen::inRange(0U, 1'000'000U)}})),
        [](const auto& of) {
            return operation{std::get<0>(of), std::get<1>(of), std::get<2>(of), std::get<3>(of),
                             std::get<4>(of)};
        });
}

class modelled_memory {
public:
    modelled_memory(const store_bounds& bounds, memory_eviction eviction)
        : bounds_(bounds),
          store_(std::make_unique<memory_store>(bounds.bytes, bounds.entries, eviction, random_)) {}

    void apply(const operation& of) {
        const std::string key = "k" + std::to_string(of.key);
        switch (of.what) {
        case operation::set:
        case operation::set_newer:
            set(key, of);
            break;
        case operation::get:
            get(key);
            break;
        case operation::get_missing:
            for (int i = 0; i != 100; ++i)
                if (store_->note_miss()) store_->maintain(now_);
            break;
        case operation::erase:
            erase(key);
            break;
        case operation::forward:
            now_ += std::chrono::seconds(of.seconds);
            if (of.key % 2 == 0) settle();
            break;
        case operation::back:
            now_ -= std::chrono::seconds(of.seconds);
            break;
        case operation::settle:
            settle();
            break;
        case operation::sweep:
            sweep();
            break;
        case operation::clear:
            RC_ASSERT(store_->clear() == held_entries_);
            model_.clear();
            break;
        }
        check();
    }
    void check_heap() {
        const std::size_t with = property::live_heap();
        store_.reset();
        RC_ASSERT(with - property::live_heap() <=
                  bounds_.bytes + bounds_.bytes / 20 + std::size_t{200} * 1024);
    }

private:
    struct expected {
        std::string value;
        timestamp written;
        ttl lifetime;
        timestamp deadline;
    };

    [[nodiscard]] node_ptr held(const std::string& key) const { return store_->find(key).node; }

    void set(const std::string& key, const operation& of) {
        const char filler = static_cast<char>('a' + ++sets_ % 26);
        const std::string value(bounds_.bytes * of.size / 1000, filler);
        const ttl lifetime = lifetimes[of.lifetime];
        const node_ptr made = memory_node::make(key, value, now_, lifetime);
        const bool fits = made->weight() <= bounds_.bytes;
        const node_ptr old = held(key);
        if (of.what == operation::set_newer && old && old->written() > now_) {
            RC_ASSERT_FALSE(store_->put(made, now_, memory_store::condition::if_newer));
            return;
        }
        RC_ASSERT(store_->put(made, now_,
                              of.what == operation::set ? memory_store::condition::always
                                                        : memory_store::condition::if_newer));
        if (fits)
            model_[key] = {value, now_, lifetime, std::max(made->deadline(), now_)};
        else
            model_.erase(key);
        // What has expired at once may be dropped at once.
        if (!fits || made->fresh(now_)) RC_ASSERT((held(key) != nullptr) == fits);
    }
    void erase(const std::string& key) {
        const bool was_there = held(key) != nullptr;
        RC_ASSERT(store_->erase(key, now_) == was_there);
        RC_ASSERT_FALSE(held(key));
        model_.erase(key);
    }
    void get(const std::string& key) {
        const auto found = store_->find(key);
        if (!found.node) return;
        if (!found.node->fresh(now_)) {
            store_->drop(*found.node, now_);
            RC_ASSERT_FALSE(held(key));
            return;
        }
        if (store_->note(found)) store_->maintain(now_);
    }
    /// After enough operations nothing is there that expired more than a tick of the wheel ago, or
    /// a turn of its finest level when the clock has gone back.
    void settle() {
        for (int i = 0; i != 2'000; ++i)
            if (store_->note_miss()) store_->maintain(now_);
        for (const auto& [key, one] : model_)
            if (one.lifetime != for_ever && one.deadline < now_ - 70s) RC_ASSERT_FALSE(held(key));
    }
    void sweep() {
        memory_store::sweep s;
        while (store_->drop_expired(s, now_, 7)) {
        }
        for (const auto& [key, one] : model_) {
            const node_ptr found = held(key);
            if (found) RC_ASSERT(found->fresh(now_));
        }
    }
    void check() {
        memory_load sum;
        for (int i = 0; i != 20; ++i) {
            const std::string key = "k" + std::to_string(i);
            const node_ptr found = held(key);
            if (!found) continue;
            ++sum.entries;
            sum.bytes += found->weight();
            RC_ASSERT(model_.contains(key));
            const expected& one = model_[key];
            RC_ASSERT(found->value() == one.value);
            RC_ASSERT(found->written() == one.written);
            RC_ASSERT(found->lifetime() == one.lifetime);
        }
        const memory_stats stats = store_->stats();
        RC_ASSERT(stats.entries == sum.entries);
        RC_ASSERT(stats.bytes == sum.bytes);
        RC_ASSERT(stats.entries <= bounds_.entries);
        RC_ASSERT(stats.bytes <= bounds_.bytes);
        held_entries_ = sum.entries;
    }

    store_bounds bounds_;
    testing::seeded_random random_{3};
    std::unique_ptr<memory_store> store_;
    timestamp now_{1'000'000h};
    std::map<std::string, expected> model_;
    std::size_t held_entries_ = 0;
    unsigned sets_ = 0;
};

void check_policy(memory_eviction eviction) {
    property::check(any_bounds(), any_operation(), 10'000,
                    [&](const store_bounds& bounds, const std::vector<operation>& operations) {
                        modelled_memory m(bounds, eviction);
                        for (const operation& each : operations)
                            m.apply(each);
                        m.check_heap();
                        return operations.size();
                    });
}

} // namespace

TEST_CASE("a W-TinyLFU memory is what its model allows, whatever is done to it") {
    check_policy(memory_eviction::w_tinylfu);
}

TEST_CASE("an S3-FIFO memory is what its model allows, whatever is done to it") {
    check_policy(memory_eviction::s3_fifo);
}

TEST_CASE("an LRU memory is what its model allows, whatever is done to it") {
    check_policy(memory_eviction::lru);
}
