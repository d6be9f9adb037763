// SPDX-License-Identifier: BSL-1.0
#include "hitratio.hpp"

#include "program_support/command_line.hpp"
#include "program_support/files.hpp"
#include "run_guard.hpp"

#include <codynamo/error.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace bench {
namespace {

/// The same numbers in each run, so that a run can be repeated.
class fixed_random final : public codynamo::random_source {
public:
    std::uint64_t next() noexcept override {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t z = (state_ ^ state_ >> 30) * 0xbf58476d1ce4e5b9U;
        z = (z ^ z >> 27) * 0x94d049bb133111ebU;
        return z ^ z >> 31;
    }

private:
    std::uint64_t state_ = 1;
};

} // namespace

std::string read_trace(const std::string& file) {
    std::string bytes = support::read_file(file, "--trace", std::size_t{1} << 30U);
    const auto refuse = [&](const std::string& reason) {
        throw codynamo::error(codynamo::errc::invalid_argument,
                              "--trace: '" + file + "' " + reason);
    };
    if (bytes.empty()) refuse("is empty; a file of little-endian 32-bit keys is expected");
    if (bytes.size() % 4 != 0)
        refuse("has " + std::to_string(bytes.size()) +
               " bytes; a multiple of 4 is expected (little-endian 32-bit keys)");
    return bytes;
}

replayed replay(std::string_view trace, std::size_t capacity, codynamo::memory_eviction policy) {
    constexpr std::size_t look_every = 4096;
    codynamo::memory_backend_config config;
    config.max_bytes = std::numeric_limits<std::size_t>::max();
    config.max_entries = capacity;
    config.eviction = policy;
    config.env.random = std::make_shared<fixed_random>();
    codynamo::memory_backend memory(std::move(config));
    const codynamo::record stored;
    codynamo::record out;
    replayed seen;
    for (std::size_t at = 0; at != trace.size(); at += 4, ++seen.requests) {
        if (seen.requests % look_every == 0 && interruption::came()) break;
        const std::string_view key(trace.data() + at, 4);
        if (memory.load_now(key, out))
            ++seen.hits;
        else
            memory.store_now(key, stored);
    }
    return seen;
}

void add_hitratio_options(CLI::App& app, hitratio_options& options) {
    using codynamo::memory_eviction;
    static const std::map<std::string, memory_eviction> policies{
        {"w_tinylfu", memory_eviction::w_tinylfu},
        {"s3_fifo", memory_eviction::s3_fifo},
        {"lru", memory_eviction::lru}};
    app.add_option("--trace", options.trace, "File of little-endian 32-bit keys")->required();
    app.add_option("--capacity", options.capacity, "Entries that the memory holds")
        ->required()
        ->check(support::in_range(std::size_t{1}, std::size_t{100'000'000}));
    app.add_option_function<std::string>(
           "--policy", [&options](const std::string& name) { options.policy = policies.at(name); },
           "w_tinylfu, s3_fifo or lru")
        ->check(CLI::IsMember({"w_tinylfu", "s3_fifo", "lru"}))
        ->default_str("w_tinylfu");
    support::add_json_option(app, options.json);
}

int run_hitratio(const hitratio_options& options) {
    run_guard guard("hitratio", "requests", {.json = options.json});
    const std::string trace = read_trace(options.trace);
    guard.begin_window();
    const auto [requests, hits] = replay(trace, options.capacity, options.policy);
    guard.end_window();
    const double ratio =
        requests == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(requests);
    std::fprintf(guard.table_stream(), "requests %llu\nhits     %llu\nratio    %.4f\n",
                 static_cast<unsigned long long>(requests), static_cast<unsigned long long>(hits),
                 ratio);
    boost::json::object out{{"requests", requests}, {"hits", hits}, {"ratio", ratio}};
    guard.describe(out, "hitratio");
    guard.write(out);
    return guard.exit_code(true);
}

} // namespace bench
