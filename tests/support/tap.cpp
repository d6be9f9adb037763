// SPDX-License-Identifier: BSL-1.0
// The tap: one file for each test program, one write for each text, no allocation.
#include "support/tap.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <string_view>
#include <sys/resource.h>
#include <sys/uio.h>
#include <typeinfo>
#include <unistd.h>

namespace codynamo::testing_support {
namespace {

std::atomic<std::size_t> lines_seen{0};
std::atomic<std::size_t> exceptions_seen{0};

/// CODYNAMO_TEST_TAP/<program>.log, or -1.
int open_file() noexcept {
    const char* folder = std::getenv("CODYNAMO_TEST_TAP");
    if (!folder) return -1;
    std::array<char, 4096> path{};
    std::array<char, 1024> program{};
    const auto length = ::readlink("/proc/self/exe", program.data(), program.size() - 1);
    if (length <= 0) return -1;
    const char* name = std::strrchr(program.data(), '/');
    std::string_view parts[] = {folder, "/", name ? name + 1 : program.data(), ".log"};
    std::size_t at = 0;
    for (const auto part : parts) {
        if (at + part.size() >= path.size()) return -1;
        at += part.copy(path.data() + at, part.size());
    }
    return ::open(path.data(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/// Loops throw the same thing a million times. Forgetting one now and then does no harm.
bool is_new(std::string_view text) noexcept {
    static std::array<std::atomic<std::size_t>, 1 << 16> known{};
    const std::size_t mark = std::hash<std::string_view>()(text) | 1;
    return known[mark / 2 % known.size()].exchange(mark, std::memory_order_relaxed) != mark;
}

void write_down(std::string_view kind, std::string_view text) noexcept {
    static const int file = open_file();
    if (file < 0 || !is_new(text)) return;
    const auto part = [](std::string_view what) {
        return iovec{const_cast<char*>(what.data()), what.size()};
    };
    const iovec all[] = {part(kind), part(text), part("\n")};
    if (::writev(file, all, 3) >= 0) return;
    // A test may have seen to it that no file can be written.
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit lifted{limit.rlim_max, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &lifted);
    // A tap that does not write must not go unnoticed.
    if (::writev(file, all, 3) < 0) std::abort();
    ::setrlimit(RLIMIT_FSIZE, &limit);
}

void write_down(const std::exception& thrown) noexcept {
    exceptions_seen.fetch_add(1, std::memory_order_relaxed);
    write_down("exception ", thrown.what());
}

[[maybe_unused]] const bool started = [] {
    write_down("program ", "started");
    return true;
}();

} // namespace

tap_counts tap_seen() noexcept {
    return {lines_seen.load(), exceptions_seen.load()};
}

void tap_log_line(std::string_view line) noexcept {
    lines_seen.fetch_add(1, std::memory_order_relaxed);
    write_down("log ", line);
}

} // namespace codynamo::testing_support

// In front of the C++ runtime's own, which the linker finds second.
[[noreturn]] void codynamo_tap_throw(void*, std::type_info*, void (*)(void*)) asm("__cxa_throw");

[[noreturn]] void codynamo_tap_throw(void* thrown, std::type_info* type, void (*destroy)(void*)) {
    using original = void (*)(void*, std::type_info*, void (*)(void*));
    static const auto next = reinterpret_cast<original>(::dlsym(RTLD_NEXT, "__cxa_throw"));
    void* base = thrown;
    if (typeid(std::exception).__do_catch(type, &base, 1))
        codynamo::testing_support::write_down(*static_cast<std::exception*>(base));
    next(thrown, type, destroy);
    std::abort();
}

// What std::make_exception_ptr made was never thrown before.
constexpr const char* rethrow_name = "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE";
[[noreturn]] void codynamo_tap_rethrow(std::exception_ptr) asm(
    "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE");

[[noreturn]] void codynamo_tap_rethrow(std::exception_ptr pointer) {
    using original = void (*)(std::exception_ptr);
    static const auto next = reinterpret_cast<original>(::dlsym(RTLD_NEXT, rethrow_name));
    try {
        next(std::move(pointer));
    } catch (const std::exception& thrown) {
        codynamo::testing_support::write_down(thrown);
        throw;
    }
    std::abort();
}
