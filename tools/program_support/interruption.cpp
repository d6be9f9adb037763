// SPDX-License-Identifier: BSL-1.0
#include "program_support/interruption.hpp"

#include <csignal>

namespace support {
namespace {

volatile std::sig_atomic_t interrupt_came = 0;
unsigned interruptions = 0; ///< alive; one thread makes them all

extern "C" void note_interrupt(int) {
    interrupt_came = 1;
}

void handle(void (*handler)(int), int flags) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

} // namespace

interruption::interruption() {
    if (interruptions++ != 0) return;
    interrupt_came = 0;
    handle(note_interrupt, static_cast<int>(SA_RESETHAND) | SA_RESTART);
}

interruption::~interruption() {
    if (--interruptions == 0) handle(SIG_DFL, 0);
}

bool interruption::came() noexcept {
    return interrupt_came != 0;
}

} // namespace support
