// SPDX-License-Identifier: BSL-1.0
// The table behind a held transport: parses requests, and answers each in a given way.
#pragma once

#include <codynamo/error.hpp>
#include <codynamo/testing/detail/simulated_service.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/virtual_executor.hpp>

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::property {

/// Which operation of the backend sent a request.
enum class request_source { load, store_or_discard, erase, touch };

/// What a request is about.
struct table_request {
    request_source source = request_source::load;
    bool is_batch = false;
    std::vector<std::string> keys{};
    std::vector<std::string> written{}; ///< update_ts of each put, empty for other requests
    std::size_t value_bytes = 0;

    [[nodiscard]] bool has(std::string_view key) const noexcept;
};
[[nodiscard]] table_request parse_request(const testing::fake_request& request);

/// How a request is answered, or how it is lost.
enum class answer_kind {
    whole,
    some_unprocessed, ///< of a batch; as whole for others
    internal_error,
    throttled,
    invalid,
    denied,
    missing_table,
    foreign_key, ///< an answer about another key; not_json for a request that is no batch
    not_json,
    reset,
};
inline constexpr answer_kind last_answer_kind = answer_kind::reset;

/// The failure that callers of the request may get.
[[nodiscard]] errc errc_of(answer_kind kind) noexcept;

/// Keeps every version of every item of one table.
class batcher_server {
public:
    using version = testing::detail::simulated_table::version;

    explicit batcher_server(testing::virtual_world& world);

    /// `choice` decides which keys are left unprocessed, and whether a request whose answer is lost
    /// takes effect. `unprocessed` becomes the keys that are left.
    [[nodiscard]] testing::fake_response answer(const testing::fake_request& request,
                                                answer_kind kind, unsigned choice,
                                                std::vector<std::string>& unprocessed);
    /// The request takes effect, and the answer has no receiver.
    void apply(const testing::fake_request& request);

    [[nodiscard]] const std::vector<version>& versions_of(const std::string& key) const;

private:
    [[nodiscard]] testing::fake_response execute(const testing::fake_request& request);

    testing::detail::simulated_service service_;
    const testing::detail::simulated_table& table_;
};

} // namespace codynamo::property
