// SPDX-License-Identifier: BSL-1.0
// One target under libFuzzer.
#include "fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    codynamo::fuzz::CODYNAMO_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
