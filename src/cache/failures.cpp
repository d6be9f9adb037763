// SPDX-License-Identifier: BSL-1.0
#include "cache/failures.hpp"

#include <boost/asio/error.hpp>

#include <exception>
#include <string>

namespace codynamo::detail {

bool is_cancellation() noexcept {
    try {
        throw;
    } catch (const boost::system::system_error& e) {
        return e.code() == boost::asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

failure failure_or_cancellation() {
    if (is_cancellation()) throw;
    return current_failure();
}

namespace {

/// Without the category, number and place in the source that Boost appends.
std::string words_of(const boost::system::system_error& why) {
    std::string words = why.what();
    const std::string details = why.code().what();
    const auto at = words.rfind(details);
    if (at != std::string::npos) words.replace(at, details.size(), why.code().message());
    return words;
}

} // namespace

std::string words_of_current_exception() {
    try {
        throw;
    } catch (const error& e) {
        return e.as_failure().message();
    } catch (const boost::system::system_error& e) {
        return words_of(e);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

} // namespace codynamo::detail
