// SPDX-License-Identifier: BSL-1.0
// codynamo-policies: the memory's policies beside others on the same traces and sizes, as CSV.
#include "hitratio.hpp"
#include "policies/references.hpp"

#include <codynamo/error.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <unordered_map>

namespace {

using codynamo::memory_eviction;

constexpr std::pair<const char*, memory_eviction> ours[] = {
    {"codynamo w_tinylfu", memory_eviction::w_tinylfu},
    {"codynamo s3_fifo", memory_eviction::s3_fifo},
    {"codynamo lru", memory_eviction::lru}};
constexpr const char* others[] = {"lru",         "sieve",        "arc",    "s3-fifo",
                                  "w-tinylfu-1", "w-tinylfu-20", "optimum"};

bench::key_trace numbered(const std::string& file, const std::string& bytes) {
    bench::key_trace made{std::filesystem::path(file).stem().string(), {}, 0};
    std::unordered_map<std::string, bench::key_number> numbers;
    for (std::size_t at = 0; at != bytes.size(); at += 4) {
        const auto next = static_cast<bench::key_number>(numbers.size());
        made.keys.push_back(
            numbers.try_emplace(std::string(bytes.data() + at, 4), next).first->second);
    }
    made.distinct = numbers.size();
    return made;
}

/// Shares of the distinct keys, and round numbers where they leave something to miss.
std::set<std::size_t> sizes_for(std::size_t distinct) {
    std::set<std::size_t> sizes;
    for (const double share : {0.001, 0.003, 0.01, 0.03, 0.1, 0.3})
        sizes.insert(std::max<std::size_t>(
            2, static_cast<std::size_t>(static_cast<double>(distinct) * share)));
    for (const std::size_t size : {50U, 100U, 200U, 500U, 1000U, 2000U, 5000U, 10'000U})
        if (size * 10 < distinct * 6) sizes.insert(size);
    return sizes;
}

void print(const bench::key_trace& trace, std::size_t size, const char* policy,
           std::uint64_t hits) {
    std::printf("%s,%zu,%s,%zu,%llu\n", trace.name.c_str(), size, policy, trace.keys.size(),
                static_cast<unsigned long long>(hits));
    std::fflush(stdout);
}

void compare(const std::string& file) {
    const std::string bytes = bench::read_trace(file);
    const bench::key_trace trace = numbered(file, bytes);
    for (const std::size_t size : sizes_for(trace.distinct)) {
        for (const auto& [name, which] : ours)
            print(trace, size, name, bench::replay(bytes, size, which).hits);
        for (const char* name : others) {
            const auto policy = bench::make_reference(name, trace, size);
            std::uint64_t hits = 0;
            for (const bench::key_number key : trace.keys)
                hits += policy->access(key) ? 1 : 0;
            print(trace, size, name, hits);
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("Hit ratios of the memory's policies and of others, as CSV", "codynamo-policies");
    std::vector<std::string> traces;
    app.add_option("traces", traces, "Files of little-endian 32-bit keys")->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& why) {
        return app.exit(why) == 0 ? 0 : 2;
    }
    try {
        std::puts("trace,size,policy,requests,hits");
        for (const std::string& file : traces)
            compare(file);
        return 0;
    } catch (const codynamo::error& why) {
        std::fprintf(stderr, "codynamo-policies: %s\n", why.what());
        return 2;
    }
}
