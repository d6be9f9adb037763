// SPDX-License-Identifier: BSL-1.0
#include "exception_words.hpp"

#include <boost/system/system_error.hpp>

namespace codynamo::detail {

std::string words_of(const std::exception_ptr& what, std::string_view otherwise) {
    try {
        std::rethrow_exception(what);
    } catch (const boost::system::system_error& e) {
        std::string words = e.what();
        const std::string details = e.code().what();
        const auto at = words.rfind(details);
        if (at != std::string::npos) words.replace(at, details.size(), e.code().message());
        return words;
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return std::string(otherwise);
    }
}

} // namespace codynamo::detail
