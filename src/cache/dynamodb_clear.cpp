// SPDX-License-Identifier: BSL-1.0
// clear_all and clear_expired: scan in parallel segments, delete page by page, remember how far
// each segment came.
#include "cache/dynamodb_backend_core.hpp"
#include "cache/dynamodb_batch.hpp"
#include "cache/empty_handle.hpp"
#include "cache/fan_out.hpp"
#include "cache/record_item.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <utility>

namespace codynamo {

namespace asio = boost::asio;
using core_ptr = std::shared_ptr<dynamodb_backend::core>;

namespace {

/// How far each segment came. A page counts as done when all of it is deleted.
class segment_cursor final : public clear_cursor {
public:
    struct segment {
        dynamodb::item next;
        bool done = false;
    };

    explicit segment_cursor(unsigned count) : segments(count) {}

    std::vector<segment> segments;
    clear_progress progress;
};

std::shared_ptr<segment_cursor> cursor_for(const clear_options& options) {
    if (options.segments < 1 || options.segments > 64) {
        throw error(errc::invalid_argument,
                    "segments is " + std::to_string(options.segments) + ": 1 to 64 are allowed");
    }
    if (options.resume) {
        auto before = std::dynamic_pointer_cast<segment_cursor>(*options.resume);
        if (before && before->segments.size() == options.segments) return before;
    }
    auto fresh = std::make_shared<segment_cursor>(options.segments);
    if (options.resume) *options.resume = fresh;
    return fresh;
}

/// Deletes what has to go of one page, and counts what went, also when it fails halfway.
using page_job =
    std::function<asio::awaitable<void>(std::vector<dynamodb::item> page, std::uint64_t& deleted)>;

asio::awaitable<void> clear_segment(core_ptr self, dynamodb::scan_input scan,
                                    std::shared_ptr<segment_cursor> cursor,
                                    const clear_options& options, const page_job& job) {
    segment_cursor::segment& mine = cursor->segments[scan.segment];
    while (!mine.done) {
        scan.exclusive_start_key = mine.next;
        dynamodb::scan_output page = co_await self->client.scan(scan);
        self->consumed.add_read(page.consumed_capacity);
        std::uint64_t deleted = 0;
        std::exception_ptr why;
        try {
            co_await job(std::move(page.items), deleted);
        } catch (...) {
            why = std::current_exception();
        }
        cursor->progress.deleted += deleted;
        // What a failed page still has is scanned again when the clear is resumed.
        cursor->progress.scanned += why ? deleted : page.scanned_count;
        if (why) std::rethrow_exception(why);
        cursor->progress.kept += page.scanned_count - deleted;
        mine.next = std::move(page.last_evaluated_key);
        mine.done = mine.next.empty();
        if (options.progress) options.progress(cursor->progress);
    }
}

asio::awaitable<clear_progress> clear(core_ptr self, dynamodb::scan_input scan,
                                      clear_options options, page_job job) {
    const auto cursor = cursor_for(options);
    scan.table_name = self->config.table_name;
    scan.return_capacity = self->consumed.wanted();
    scan.total_segments = options.segments;
    co_await detail::fan_out(options.segments, options.segments,
                             [&](std::size_t segment) -> asio::awaitable<void> {
                                 scan.segment = static_cast<std::uint32_t>(segment);
                                 return clear_segment(self, scan, cursor, options, job);
                             });
    if (options.resume) options.resume->reset();
    co_return cursor->progress;
}

asio::awaitable<void> delete_page(core_ptr self, std::vector<dynamodb::item> page,
                                  std::uint64_t& deleted) {
    std::vector<detail::indexed_write> writes;
    writes.reserve(page.size());
    for (std::size_t i = 0; i < page.size(); ++i) {
        writes.push_back({i, {.is_put = false, .item = std::move(page[i])}});
    }
    std::vector<result<void>> unknown(page.size());
    const auto outcomes = co_await detail::write_all(self, std::move(writes), std::move(unknown));
    const auto failed = std::ranges::find_if(outcomes, [](const auto& one) { return !one; });
    deleted += static_cast<std::uint64_t>(
        std::ranges::count_if(outcomes, [](const auto& one) { return one.has_value(); }));
    if (failed != outcomes.end()) throw_failure(failed->error());
}

/// Deletes an item unless its times are no longer those that were seen; whether it is gone.
asio::awaitable<bool> delete_if_unchanged(core_ptr self, dynamodb::item seen) {
    const record_attributes& names = self->config.attributes;
    dynamodb::delete_item_input in;
    in.table_name = self->config.table_name;
    in.key.emplace(names.key, seen.at(names.key));
    in.condition.expression = "#u = :seen_u AND #e = :seen_e";
    in.condition.return_item = dynamodb::return_values_on_condition_check_failure::all_old;
    in.values.emplace(":seen_u", seen.at(names.update_ts));
    in.values.emplace(":seen_e", seen.at(names.expire));
    in.names = self->names("ue");
    in.return_capacity = self->consumed.wanted();
    const dynamodb::call_options idempotent{.replay = dynamodb::replay::safe};
    const auto done = co_await self->client.attempt(std::move(in), idempotent);
    if (done) self->consumed.add_write(done->consumed_capacity);
    if (done) co_return true;
    if (done.error().code != errc::conditional_check_failed) throw_failure(done.error());
    // No item left: somebody else, or an earlier attempt of ours, deleted it.
    const auto& info = done.error().info;
    co_return !info->details || info->details->old_item.empty();
}

/// What is not a record of ours is nobody's to delete here.
bool is_expired(const record_attributes& names, const dynamodb::item& item, timestamp now) {
    try {
        return !is_fresh(detail::to_record(names, item, false), now);
    } catch (const error&) {
        return false;
    }
}

asio::awaitable<void> delete_expired(core_ptr self, std::vector<dynamodb::item> page, timestamp now,
                                     std::uint64_t& deleted) {
    if (self->clock_in_doubt()) {
        std::string any_key = "clock";
        co_await dynamodb_backend::core::settle_clock(self, std::move(any_key));
    }
    now = detail::by_table_clock(now, self->clock_offset());
    std::erase_if(page, [&](const dynamodb::item& item) {
        return !is_expired(self->config.attributes, item, now);
    });
    // Conditional deletes go one by one, so more of them are under way than batches would be.
    co_await detail::fan_out(page.size(), std::size_t{8} * self->config.batch_concurrency,
                             [&](std::size_t i) -> asio::awaitable<void> {
                                 const bool gone = co_await delete_if_unchanged(self, page[i]);
                                 if (gone) ++deleted;
                             });
}

} // namespace

asio::awaitable<clear_progress> dynamodb_backend::core::clear_all(core_ptr self,
                                                                  clear_options options) {
    // Consistent, or what was written a moment ago could be missed and stay.
    dynamodb::scan_input scan{
        .projection_expression = "#k", .names = self->names("k"), .consistent_read = true};
    page_job job = [self](std::vector<dynamodb::item> page, std::uint64_t& deleted) {
        return delete_page(self, std::move(page), deleted);
    };
    return clear(self, std::move(scan), std::move(options), std::move(job));
}

asio::awaitable<clear_progress>
dynamodb_backend::core::clear_expired(core_ptr self, clear_options options, timestamp now) {
    // What never expires need not travel.
    dynamodb::scan_input scan{.filter_expression = "attribute_exists(#e) AND #e <> :forever",
                              .projection_expression = "#k, #e, #u",
                              .names = self->names("keu"),
                              .consistent_read = true};
    scan.values.emplace(":forever", dynamodb::number(0));
    page_job job = [self, now](std::vector<dynamodb::item> page, std::uint64_t& deleted) {
        return delete_expired(self, std::move(page), now, deleted);
    };
    return clear(self, std::move(scan), std::move(options), std::move(job));
}

asio::awaitable<clear_progress> dynamodb_backend::clear_all(clear_options options) {
    if (!core_) return detail::answer_empty<clear_progress>();
    return core::clear_all(core_, std::move(options));
}

asio::awaitable<clear_progress> dynamodb_backend::clear_expired(clear_options options,
                                                                timestamp now) {
    if (!core_) return detail::answer_empty<clear_progress>();
    return core::clear_expired(core_, std::move(options), now);
}

} // namespace codynamo
