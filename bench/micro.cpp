// SPDX-License-Identifier: BSL-1.0
// The parts of a get and a set, one at a time; Google Benchmark's own command line and output.
#include "cache/record_item.hpp"
#include "dynamodb/base64.hpp"
#include "dynamodb/codec.hpp"
#include "dynamodb/crc32.hpp"

#include <codynamo/aws/sigv4.hpp>
#include <codynamo/memory_backend.hpp>

#include <benchmark/benchmark.h>
#include <csignal>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace codynamo;

constexpr const char* key = "key-1";

record a_record() {
    record r;
    r.value = std::string(1024, 'x');
    r.written = timestamp(std::chrono::seconds(1'767'225'600));
    return r;
}

dynamodb::put_item_input a_put() {
    dynamodb::put_item_input in;
    in.table_name = "codynamo-bench";
    in.item = detail::to_item(record_attributes(), key, a_record());
    return in;
}

dynamodb::get_item_input a_get() {
    dynamodb::get_item_input in;
    in.table_name = "codynamo-bench";
    in.key = detail::key_item(record_attributes(), key);
    return in;
}

/// The answer to a GetItem: what a put sends, under another name.
std::string an_answer() {
    std::string put;
    dynamodb::encode(a_put(), put);
    const auto begin = put.find(R"("Item":)") + 7;
    std::size_t end = begin, depth = 0;
    do {
        if (put[end] == '{') ++depth;
        if (put[end] == '}') --depth;
        ++end;
    } while (depth != 0);
    return R"({"Item":)" + put.substr(begin, end - begin) + "}";
}

void require(bool right, const char* what) {
    if (!right) throw std::runtime_error(std::string(what) + " is not what it should be");
}

void sign(benchmark::State& state) {
    aws::json_request_signer signer("dynamodb.us-east-1.amazonaws.com", {"us-east-1", "dynamodb"});
    const auto who = std::make_shared<const aws::credentials>(aws::credentials{"AKIA", "secret"});
    std::string head, body;
    dynamodb::encode(a_get(), body);
    const std::chrono::sys_seconds when(std::chrono::seconds(1'767'225'600));
    for (auto _ : state) {
        head.clear();
        signer.write_head(head, "DynamoDB_20120810.GetItem", body, who, when);
        benchmark::DoNotOptimize(head.data());
    }
}
BENCHMARK(sign);

template <class Input>
void encode(benchmark::State& state, const Input& in) {
    std::string out;
    for (auto _ : state) {
        out.clear();
        dynamodb::encode(in, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK_CAPTURE(encode, get_item, a_get());
BENCHMARK_CAPTURE(encode, put_item, a_put());

void decode_get_item(benchmark::State& state) {
    const std::string body = an_answer();
    for (auto _ : state) {
        dynamodb::get_item_output out;
        dynamodb::decode(body, out);
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(decode_get_item);

void decode_record(benchmark::State& state) {
    const std::string body = an_answer();
    const record_attributes names;
    require(detail::decode_record(names, body, true, key)->value == a_record().value, "a record");
    for (auto _ : state)
        benchmark::DoNotOptimize(detail::decode_record(names, body, true, key));
}
BENCHMARK(decode_record);

void encode_record(benchmark::State& state) {
    const record_attributes names;
    for (auto _ : state)
        benchmark::DoNotOptimize(detail::to_item(names, key, a_record()));
}
BENCHMARK(encode_record);

void base64_encode(benchmark::State& state) {
    const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
    std::string out;
    for (auto _ : state) {
        out.clear();
        dynamodb::append_base64(out, bytes);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(base64_encode)->Arg(1024);

void base64_decode(benchmark::State& state) {
    const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
    std::string text, out;
    dynamodb::append_base64(text, bytes);
    require(dynamodb::decode_base64(text, out) && out == bytes, "base64");
    for (auto _ : state) {
        benchmark::DoNotOptimize(dynamodb::decode_base64(text, out));
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(base64_decode)->Arg(1024);

void crc32(benchmark::State& state) {
    const std::string bytes(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state)
        benchmark::DoNotOptimize(dynamodb::crc32(bytes));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(crc32)->Arg(1500);

std::vector<std::string> keys(std::size_t count) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i != count; ++i)
        made.push_back("key-" + std::to_string(100'000 + i));
    return made;
}

memory_backend memory_of(memory_eviction which, std::size_t entries) {
    memory_backend_config config;
    config.max_entries = entries;
    config.eviction = which;
    return memory_backend(std::move(config));
}

void memory_hit(benchmark::State& state, memory_eviction which) {
    constexpr std::size_t count = 1024;
    memory_backend memory = memory_of(which, 2 * count);
    const auto names = keys(count);
    for (const std::string& name : names)
        memory.store_now(name, a_record());
    record out;
    std::size_t at = 0;
    for (auto _ : state) {
        if (!memory.load_now(names[at++ % count], out)) state.SkipWithError("a miss");
        benchmark::DoNotOptimize(out.value.data());
    }
}
BENCHMARK_CAPTURE(memory_hit, w_tinylfu, memory_eviction::w_tinylfu);
BENCHMARK_CAPTURE(memory_hit, s3_fifo, memory_eviction::s3_fifo);
BENCHMARK_CAPTURE(memory_hit, lru, memory_eviction::lru);

/// Every one makes another go, once the memory is full.
void memory_put(benchmark::State& state, memory_eviction which) {
    memory_backend memory = memory_of(which, 1024);
    const auto names = keys(16 * 1024);
    const record r = a_record();
    std::size_t at = 0;
    for (auto _ : state)
        memory.store_now(names[at++ % names.size()], r);
}
BENCHMARK_CAPTURE(memory_put, w_tinylfu, memory_eviction::w_tinylfu);
BENCHMARK_CAPTURE(memory_put, s3_fifo, memory_eviction::s3_fifo);
BENCHMARK_CAPTURE(memory_put, lru, memory_eviction::lru);

} // namespace

/// Google Benchmark has nothing to report before its end.
extern "C" void end_interrupted(int) {
    ::_exit(130);
}

int main(int argc, char** argv) {
    std::signal(SIGINT, end_interrupted);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
