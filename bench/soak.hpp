// SPDX-License-Identifier: BSL-1.0
// The soak: writers and readers for as long as one likes, and afterwards the proof that nothing
// acknowledged was lost.
#pragma once

#include "program_support/json_output.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

struct soak_options {
    /// As --server has it.
    std::string server = "aws";
    /// URL of that server; empty: the region's endpoint.
    std::string endpoint;
    std::string table;
    /// Empty: what the environment says; for a plain-HTTP server on this machine us-east-1.
    std::string region;
    std::string tls_ca;
    double seconds = 60;
    unsigned writers = 8;
    unsigned readers = 8;
    /// Keys written, each by one writer only; at least one for each writer. More than there will be
    /// writes: no key is written twice.
    std::uint32_t keys = 10'000;
    std::size_t value_size = 256;
    /// What every key begins with; no whitespace.
    std::string key_prefix = "codynamo-soak/";
    std::string ack_log;
    /// Verify this log instead of writing.
    std::string verify;
    /// After a verification without complaint, delete the items that it found.
    bool erase = false;
    support::json_output json{};
    /// One JSON object a line, for each interval; empty for nowhere.
    std::string series;
    std::chrono::milliseconds series_interval{1000};
    std::chrono::milliseconds call_timeout{10'000};
    std::chrono::milliseconds attempt_timeout{5'000};
};

/// Exit codes: 0 fine; 1 something was lost or wrong; 2 wrong usage; 3 it could not be done; 130
/// interrupted, with nothing lost or wrong so far.
[[nodiscard]] int run_soak(const soak_options& options);
[[nodiscard]] int verify_soak(const soak_options& options);

} // namespace bench
