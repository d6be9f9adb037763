// SPDX-License-Identifier: BSL-1.0
// What the user's program says, or why it said nothing. Never its words: they may be secrets.
#include "aws/child_process.hpp"
#include "aws/credential_documents.hpp"
#include "aws/process_source.hpp"
#include "aws/source_memory.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <boost/asio/error.hpp>

#include <cerrno>
#include <memory>
#include <new>
#include <utility>

namespace asio = boost::asio;

namespace codynamo::aws {
namespace {

using kind = detail::process_outcome::kind;

/// Whether this process or the system lacks the memory for another process.
bool is_out_of_memory(const detail::process_outcome& outcome) noexcept {
    return outcome.how == kind::not_started && outcome.number == ENOMEM;
}

/// Empty when it went well.
std::string complaint(const detail::process_outcome& got, std::chrono::milliseconds timeout) {
    switch (got.how) {
    case kind::exited:
        return got.number == 0 ? "" : "ended with exit code " + std::to_string(got.number);
    case kind::signalled:
        return "was ended by signal " + std::to_string(got.number);
    case kind::unknown: // what it printed decides: half a document is none
        return "";
    case kind::timed_out:
        return "did not end within " + std::to_string(timeout.count()) + " ms";
    case kind::too_long:
        return "printed more than " +
               std::to_string(detail::child_process::max_output_bytes / 1024) + " KiB";
    case kind::stopped:
        return "was stopped";
    case kind::crowded:
        return "is not started again: " + std::to_string(detail::stragglers::most) +
               " that did not end in time cannot be killed";
    case kind::not_started:
        break;
    }
    return "could not be run: " +
           boost::system::error_code(got.number, boost::system::generic_category()).message();
}

class printing_source final : public detail::credential_source {
public:
    printing_source(std::string command, std::chrono::milliseconds timeout)
        : command_(std::move(command)), timeout_(timeout) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "process"; }

    [[nodiscard]] asio::awaitable<credentials> fetch() override {
        const auto child = std::make_unique<detail::child_process>(command_, timeout_, left_over_);
        const auto place = std::make_shared<detail::parked>();
        auto start = [who = place, what = child.get()] { what->start(who); };
        const auto wait_result = co_await detail::parked::wait(place, std::move(start));
        if (wait_result == detail::wakeup::no_memory) throw std::bad_alloc();
        if (wait_result != detail::wakeup::done) // the watcher may still write the outcome
            throw boost::system::system_error(asio::error::operation_aborted);
        if (is_out_of_memory(child->outcome())) throw std::bad_alloc();
        const std::string wrong = complaint(child->outcome(), timeout_);
        if (!wrong.empty()) throw error(errc::no_credentials, "credential_process " + wrong);
        try {
            co_return detail::parse_process_document(child->outcome().text.text());
        } catch (const error& malformed) {
            const char* untold =
                child->outcome().how == kind::unknown ? " (its exit code is lost)" : "";
            throw error(errc::no_credentials, std::string("credential_process") + untold + ": " +
                                                  malformed.info().message);
        }
    }

private:
    const std::string command_;
    const std::chrono::milliseconds timeout_;
    const std::shared_ptr<detail::stragglers> left_over_ = std::make_shared<detail::stragglers>();
};

} // namespace

std::shared_ptr<detail::credential_source>
detail::process_source(std::string command, std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds longest = std::chrono::minutes(10);
    if (command.find_first_not_of(" \t\r\n") == std::string::npos)
        throw error(errc::invalid_argument, "credential_process: the command is empty");
    if (command.find('\0') != std::string::npos)
        throw error(errc::invalid_argument, "credential_process: the command holds a NUL");
    if (timeout.count() <= 0 || timeout > longest) {
        throw error(errc::invalid_argument, "credential_process: timeout is " +
                                                std::to_string(timeout.count()) +
                                                " ms: 1 to 600000 are allowed");
    }
    return std::make_shared<printing_source>(std::move(command), timeout);
}

credentials_provider_ptr process_credentials(std::string command, source_options options,
                                             std::chrono::milliseconds timeout) {
    auto memory = detail::attach_memory(options);
    return detail::refreshing(detail::process_source(std::move(command), timeout),
                              std::move(options.env), {}, std::move(memory));
}

} // namespace codynamo::aws
