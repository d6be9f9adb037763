// SPDX-License-Identifier: BSL-1.0
// The contracts of a backend and of a serializer policy, as checks that anybody can run.
#pragma once

#include <codynamo/any_backend.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/record.hpp>
#include <codynamo/serializer.hpp>

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing {

struct backend_contract {
    /// Makes the backend to check, or a handle to the one; called once for each clause.
    std::function<any_backend()> make;
    /// Put in front of every key, so that a shared table can be used.
    std::string key_prefix = "contract/";
    /// What the backend takes for the present. Within a second or so of its own clock.
    timestamp now = environment::system_clock()->now();
    /// Whether clear_all and clear_expired may be called: they reach beyond the prefix.
    bool clears = true;
};

/// Runs every clause of the backend contract; the sentences that turn out to be wrong, each with
/// what was seen instead. Empty: the backend keeps the contract. Cancellation is thrown on.
[[nodiscard]] boost::asio::awaitable<std::vector<std::string>>
check_backend(backend_contract contract);

/// Checks that a serializer policy gives back what it was given, and that damaged bytes make it
/// throw a std::exception or give a value, but nothing else. The sentences that turn out to be
/// wrong.
template <class Serializer, class T>
    requires serializer<Serializer, T>
[[nodiscard]] std::vector<std::string> check_serializer(const Serializer& policy,
                                                        const std::vector<T>& values) {
    std::vector<std::string> broken;
    for (std::size_t i = 0; i != values.size(); ++i) {
        const auto breaks = [&](const std::string& clause) {
            broken.push_back("value " + std::to_string(i) + ": " + clause);
        };
        try {
            const std::string bytes = policy.serialize(values[i]);
            if (policy.serialize(values[i]) != bytes) breaks("serializing twice gives equal bytes");
            // In a buffer that is gone afterwards: the value must not point into it.
            auto passing = std::make_unique<std::string>(bytes);
            const T back = policy.deserialize(std::string_view(*passing));
            passing->assign(passing->size(), '\xA5');
            passing.reset();
            if constexpr (std::equality_comparable<T>) {
                if (!(back == values[i])) breaks("what was serialized comes back equal");
            }
            if (policy.serialize(back) != bytes) breaks("what came back serializes to equal bytes");
            for (const std::size_t length : {bytes.size() / 2, bytes.size() - bytes.size() / 4}) {
                try {
                    static_cast<void>(
                        policy.deserialize(std::string_view(bytes).substr(0, length)));
                } catch (const std::exception&) { // as it should
                }
            }
        } catch (const std::exception& e) {
            breaks(std::string("serializing and deserializing succeed; threw ") + e.what());
        } catch (...) {
            breaks("whatever is thrown is a std::exception");
        }
    }
    return broken;
}

} // namespace codynamo::testing

#include <codynamo/testing/detail/backend_clauses.hpp>
