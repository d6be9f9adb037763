// SPDX-License-Identifier: BSL-1.0
#include "hitratio.hpp"

#include "run_guard.hpp"

#include <codynamo/error.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <vector>

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

std::vector<char> read_trace(const std::string& file) {
    const auto refuse = [&](const std::string& why) {
        throw codynamo::error(codynamo::errc::invalid_argument, "--trace: '" + file + "' " + why);
    };
    std::ifstream in(file, std::ios::binary);
    if (!in) refuse("cannot be opened");
    std::vector<char> bytes;
    try {
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    } catch (const std::ios_base::failure&) {
        refuse("cannot be read");
    }
    if (in.bad()) refuse("cannot be read");
    if (bytes.empty()) refuse("is empty; a file of little-endian 32-bit keys is expected");
    if (bytes.size() % 4 != 0)
        refuse("has " + std::to_string(bytes.size()) +
               " bytes; a multiple of 4 is expected (little-endian 32-bit keys)");
    return bytes;
}

std::uint64_t replay(const std::vector<char>& trace, std::size_t capacity,
                     codynamo::memory_eviction policy) {
    codynamo::memory_backend_config config;
    config.max_bytes = std::numeric_limits<std::size_t>::max();
    config.max_entries = capacity;
    config.eviction = policy;
    config.env.random = std::make_shared<fixed_random>();
    codynamo::memory_backend memory(std::move(config));
    const codynamo::record stored;
    codynamo::record out;
    std::uint64_t hits = 0;
    for (std::size_t at = 0; at != trace.size(); at += 4) {
        const std::string_view key(trace.data() + at, 4);
        if (memory.load_now(key, out))
            ++hits;
        else
            memory.store_now(key, stored);
    }
    return hits;
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
        ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}));
    app.add_option_function<std::string>(
           "--policy", [&options](const std::string& name) { options.policy = policies.at(name); },
           "w_tinylfu, s3_fifo or lru")
        ->check(CLI::IsMember({"w_tinylfu", "s3_fifo", "lru"}))
        ->default_str("w_tinylfu");
    app.add_option("--json", options.json, "Write the figures to this file; '-' for stdout");
}

int run_hitratio(const hitratio_options& options) {
    const std::vector<char> trace = read_trace(options.trace);
    const std::uint64_t hits = replay(trace, options.capacity, options.policy);
    const std::uint64_t requests = trace.size() / 4;
    const double ratio = static_cast<double>(hits) / static_cast<double>(requests);
    const run_guard guard("hitratio", "requests", {.json = options.json});
    std::fprintf(guard.table_stream(), "requests %llu\nhits     %llu\nratio    %.4f\n",
                 static_cast<unsigned long long>(requests), static_cast<unsigned long long>(hits),
                 ratio);
    return guard.write({{"requests", requests}, {"hits", hits}, {"ratio", ratio}}) ? 0 : 3;
}

} // namespace bench
