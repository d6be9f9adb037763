// SPDX-License-Identifier: BSL-1.0
// One call of the Security Token Service: a form out, credentials in XML back.
#pragma once

#include "aws/http_fetch.hpp"

#include <codynamo/aws/credential_sources.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace codynamo::aws::detail {

/// What STS answered.
struct sts_answer {
    credentials found{};
    /// STS's own code when it refused; empty otherwise.
    std::string refused{};
    /// Host, code and words for a message; empty when it did not refuse.
    std::string why{};
};

/// Ways to STS, and what its answers show of its clock, are kept in `memory`; the clock of
/// `options` is to be corrected by that. Signs with `signer` unless it is null. Retries transient
/// failures, and repeats the request once, immediately, when STS refused the date of the signature
/// and its clock was not known. Returns a refusal; throws any other failure.
[[nodiscard]] boost::asio::awaitable<sts_answer> call_sts(source_options options,
                                                          std::shared_ptr<source_memory> memory,
                                                          text_fields form, credentials_ptr signer);

} // namespace codynamo::aws::detail
