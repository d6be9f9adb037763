// SPDX-License-Identifier: BSL-1.0
// One attempt on the wire: signs and encodes when the connection is there, and decodes while the
// response is still in the connection's buffer.
#pragma once

#include "aws/clock_skew.hpp"
#include "dynamodb/operation_call.hpp"
#include "dynamodb/request_fsm.hpp"
#include "dynamodb/route.hpp"

#include <codynamo/aws/credentials.hpp>
#include <codynamo/environment.hpp>
#include <codynamo/net/transport.hpp>

namespace codynamo::dynamodb {

class attempt_exchange final : public net::exchange {
public:
    /// All of them must outlive it.
    attempt_exchange(const clock& time, aws::clock_skew& skew, operation_call& what) noexcept
        : time_(time), skew_(skew), what_(what) {}

    /// Before each attempt.
    /// `who` must outlive the attempt.
    void begin(route& by, const aws::credentials_ptr& who) noexcept;
    /// After each attempt that the transport completed.
    [[nodiscard]] attempt_outcome finish(net::send_outcome sent);
    /// Whether the last response changed what we know of the server's clock.
    [[nodiscard]] bool learnt_skew() const noexcept { return learnt_skew_; }

    /// Whether an offset that made the signature fail was given up.
    [[nodiscard]] bool dropped_skew() const noexcept { return dropped_skew_; }

    void write(std::string& head, std::string& body) override;
    void read(const net::response_view& response) override;
    [[nodiscard]] bool keep_connection() const noexcept override {
        return !outcome_.why || (outcome_.why->code != errc::bad_response &&
                                 outcome_.why->code != errc::checksum_mismatch);
    }

private:
    void learn_skew(const net::response_view& response);

    const clock& time_;
    aws::clock_skew& skew_;
    operation_call& what_;
    route* by_ = nullptr;
    const aws::credentials_ptr* who_ = nullptr;
    attempt_outcome outcome_;
    timestamp sent_at_{};
    std::chrono::steady_clock::time_point written_at_{};
    std::chrono::microseconds used_offset_{0};
    bool refuses_date_ = false;
    bool learnt_skew_ = false;
    bool dropped_skew_ = false;
};

/// The service repeats what it was sent where it refuses a signature: takes secret, token and
/// signature out of its words.
[[nodiscard]] failure without_secrets(failure why, const aws::credentials& who);

} // namespace codynamo::dynamodb
