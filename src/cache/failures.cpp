// SPDX-License-Identifier: BSL-1.0
#include "cache/failures.hpp"

#include "exception_words.hpp"

#include <boost/asio/error.hpp>
#include <boost/core/demangle.hpp>

#include <exception>
#include <string>
#include <typeinfo>

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

std::string words_of_current_exception() {
    try {
        throw;
    } catch (const error& e) {
        return e.as_failure().message();
    } catch (...) {
        return words_of(std::current_exception(), "something that is no std::exception");
    }
}

std::string kind_of_current_exception() {
    try {
        throw;
    } catch (const boost::system::system_error& e) {
        return e.code().message();
    } catch (const std::exception& e) {
        return boost::core::demangle(typeid(e).name());
    } catch (...) {
        return "something that is no std::exception";
    }
}

} // namespace codynamo::detail
