// SPDX-License-Identifier: BSL-1.0
// The run phase of YCSB: a closed loop over records that are there.
#pragma once

#include "measure.hpp"
#include "one_key.hpp"
#include "ticker.hpp"
#include "ycsb.hpp"
#include "ycsb_workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace bench {

class ycsb_run {
public:
    /// `cache` has `table` as its lowest layer. The options and the ticker must outlive this.
    ycsb_run(const ycsb_options& options, ycsb_workload workload, codynamo::dynamodb_backend table,
             byte_cache cache, ticker& looking);

    /// Lanes that end with the window; the last one closes the cache and stops the ticker.
    void start(const boost::asio::any_io_executor& executor);
    [[nodiscard]] bool look() { return measured_.look(); }
    [[nodiscard]] const measurement& measured() const noexcept { return measured_; }
    [[nodiscard]] boost::json::object figures() const;

private:
    boost::asio::awaitable<void> lane();
    /// False: the window is over.
    bool ended(ycsb_operation what, steady::time_point begin, std::string fault);
    /// Empty, or what was wrong.
    boost::asio::awaitable<std::string> operate(ycsb_operation what);
    boost::asio::awaitable<std::string> read(std::uint64_t record);
    boost::asio::awaitable<void> write(std::uint64_t record);
    boost::asio::awaitable<void> insert();

    const ycsb_options& options_;
    ycsb_workload workload_;
    codynamo::dynamodb_backend table_;
    byte_cache cache_;
    measurement measured_;
    ticker& looking_;
    key_chooser chooser_;
    std::vector<std::uint64_t> issued_; ///< the newest version of each record, written or under way
    std::set<std::uint64_t> inserted_;  ///< acknowledged while an earlier one is still under way
    std::mt19937_64 random_;
    unsigned lanes_;
    std::array<histogram, ycsb_operations> latencies_{};
    std::uint64_t reads_ = 0;
    std::uint64_t hits_ = 0;
    std::optional<codynamo::consumed_units> before_;
    std::optional<codynamo::consumed_units> after_;
};

} // namespace bench
