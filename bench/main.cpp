// SPDX-License-Identifier: BSL-1.0
// codynamo-bench: measures the library, and soaks a store. Its verbs are listed in main().
#include "batching_bench.hpp"
#include "gate/loop.hpp"
#include "hitratio.hpp"
#include "inflight.hpp"
#include "memory_bench.hpp"
#include "program_support/command_line.hpp"
#include "program_support/files.hpp"
#include "program_support/interruption.hpp"
#include "rate.hpp"
#include "scale.hpp"
#include "soak.hpp"
#include "wire.hpp"
#include "ycsb.hpp"

#include <codynamo/error.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

/// Becomes another program: some verbs are scripts among the sources, one stands beside us.
int become(std::string program, std::vector<std::string> words) {
    std::vector<char*> arguments{program.data()};
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(program.c_str(), arguments.data());
    std::perror(program.c_str());
    return 3;
}

std::string script(const char* relative) {
    return std::string(CODYNAMO_BENCH_SCRIPTS) + '/' + relative;
}

std::string micro_program() {
    std::error_code fault;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", fault);
    const auto program = own.parent_path() / "codynamo-micro";
    if (!std::filesystem::exists(program))
        throw std::runtime_error("there is no " + program.string() +
                                 ": build it after tools/install-dependencies.sh bench");
    return program.string();
}

/// Before any work: what cannot be written is not measured.
template <class Options>
void open_json(Options& options) {
    if constexpr (requires { options.common.json; })
        options.common.json.open();
    else if constexpr (requires { options.json; })
        options.json.open();
}

class verb_list {
public:
    explicit verb_list(CLI::App& app) : app_(app) {}

    template <class Options>
    CLI::App* add(const char* name, const char* what, void (*describe)(CLI::App&, Options&),
                  int (*action)(const Options&)) {
        auto* const verb = app_.add_subcommand(name, what);
        const auto options = std::make_shared<Options>();
        describe(*verb, *options);
        actions_.emplace_back(verb, [options, action] {
            open_json(*options);
            return action(*options);
        });
        return verb;
    }

    /// Whatever is said behind the verb goes to the program.
    void add_program(const char* name, const char* what, std::function<std::string()> program) {
        auto* const verb = app_.add_subcommand(name, what);
        verb->set_help_flag();
        verb->prefix_command();
        actions_.emplace_back(verb,
                              [verb, program] { return become(program(), verb->remaining()); });
    }

    [[nodiscard]] int run() const {
        for (const auto& [verb, action] : actions_)
            if (*verb) return action();
        return 2;
    }

private:
    CLI::App& app_;
    std::vector<std::pair<CLI::App*, std::function<int()>>> actions_;
};

int soak(const bench::soak_options& options) {
    return options.verify.empty() ? bench::run_soak(options) : bench::verify_soak(options);
}

void add_verbs(verb_list& verbs) {
    using namespace bench;
    verbs.add("wire", "Gets of one key at a fixed concurrency, one thread", add_wire_verb_options,
              run_wire);
    verbs.add("rate", "Gets of one key at a fixed rate; latency from when each was to begin",
              add_rate_options, run_rate);
    verbs.add("ycsb",
              "YCSB's core workloads through the cache, with what they cost in capacity units",
              add_ycsb_options, run_ycsb);
    verbs.add("batching", "Gets of distinct keys, batching off, on and automatic side by side",
              add_batching_options, run_batching);
    verbs.add("inflight", "Memory, order and cancellation of many gets at a server that stalls",
              add_inflight_options, run_inflight);
    verbs.add("scale", "What a second thread adds where the CPU counts", add_scale_options,
              run_scale);
    verbs.add("memory", "Hits of a memory_backend beside a bare mutex and table; bytes per entry",
              add_memory_options, run_memory);
    verbs.add("hitratio", "Replays a trace of keys through a memory_backend", add_hitratio_options,
              run_hitratio);
    verbs.add("soak", "Writes and strong reads under faults; afterwards: was anything lost?",
              add_soak_options, soak);
    verbs.add_program("micro", "The parts of a get and a set, by Google Benchmark", micro_program);
    verbs.add_program("compile", "How long a user's translation unit takes to compile",
                      [] { return script("compile.py"); });
    verbs.add_program("peers", "The same gets by other clients of DynamoDB, beside",
                      [] { return script("peers.sh"); });
    verbs.add_program("gate", "Instructions and allocations per get, and a baseline",
                      [] { return script("gate/run.py"); });
    verbs.add_program("report", "One page of all results", [] { return script("report/run.py"); });
    verbs.add("gate-loop", "What gate counts", add_gate_loop_options, run_gate_loop)->group("");
}

/// Output that could not be written is a failure.
int with_output_taken(int code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    throw std::runtime_error("stdout does not take the output");
}

} // namespace

int main(int argc, char** argv) {
    support::reserve_standard_descriptors();
    CLI::App app("Measures codynamo and soaks stores", "codynamo-bench");
    support::set_up(app);
    verb_list verbs(app);
    add_verbs(verbs);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& why) {
        std::fprintf(stderr, "codynamo-bench: %s\n", support::usage_error(app, why).c_str());
        return 2;
    }
    try {
        return with_output_taken(verbs.run());
    } catch (const support::interrupted& interruption) {
        std::fprintf(stderr, "codynamo-bench: %s\n", interruption.what());
        return support::exit_interrupted;
    } catch (const std::exception& why) {
        std::fprintf(stderr, "codynamo-bench: %s\n", why.what());
        const auto* failed = dynamic_cast<const codynamo::error*>(&why);
        return failed && failed->code() == codynamo::errc::invalid_argument ? 2 : 3;
    }
}
