// SPDX-License-Identifier: BSL-1.0
// Beast's response parser over a flat buffer: header fields as positions, the body in place.
// Included by wire.cpp only.
#pragma once

#include "net/byte_buffer.hpp"

#include <codynamo/net/transport.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace codynamo::net {

namespace http = boost::beast::http;

/// What a response consists of, as positions in the buffer. Reused.
struct response_parts {
    struct field {
        std::size_t name, name_size, value, value_size;
        bool folded; // the value is in `folded_values`
    };
    std::vector<field> fields;
    std::string folded_values;
    std::size_t body = 0;
    std::size_t body_size = 0;
    unsigned status = 0;

    void clear() noexcept {
        constexpr std::size_t usual_fields = 256;
        if (fields.capacity() > usual_fields) fields = {};
        fields.clear();
        folded_values.clear();
        body = body_size = 0;
        status = 0;
    }
};

/// Parses one response head and body that lie in `buffer`. Chunks are moved together in place.
class response_parser final : public http::basic_parser<false> {
public:
    response_parser(byte_buffer& buffer, response_parts& parts, const pool_config& limits,
                    bool to_head_request)
        : buffer_(buffer), parts_(parts) {
        eager(true);
        skip(to_head_request);
        // The head's bound is for the caller to keep: what Beast compares with it depends on how
        // the bytes came.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(limits.max_body_bytes);
    }

    [[nodiscard]] bool interim() const noexcept {
        return parts_.status >= 100 && parts_.status < 200;
    }
    [[nodiscard]] std::size_t expected_body() const noexcept { return expected_; }
    /// Whether the line of the last chunk has been consumed. Before Boost 1.90 that line is
    /// consumed together with the trailers.
    [[nodiscard]] bool last_chunk_done() const noexcept { return last_chunk_done_; }

private:
    using text = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    [[nodiscard]] std::size_t position(const char* p) const noexcept {
        return static_cast<std::size_t>(p - buffer_.data());
    }
    [[nodiscard]] bool in_buffer(const char* p) const noexcept {
        return !std::less<>{}(p, buffer_.data()) &&
               !std::less<>{}(buffer_.data() + buffer_.size(), p);
    }

    std::size_t append(text piece) {
        if (parts_.body_size == 0) parts_.body = position(piece.data());
        char* const to = buffer_.data() + parts_.body + parts_.body_size;
        if (to != piece.data()) std::memmove(to, piece.data(), piece.size());
        parts_.body_size += piece.size();
        return piece.size();
    }

    void on_request_impl(http::verb, text, text, int, error_code&) override {}

    void on_response_impl(int code, text, int, error_code&) override {
        parts_.status = static_cast<unsigned>(code);
    }

    void on_field_impl(http::field field, text name, text value, error_code& ec) override {
        if (head_done_) return; // a trailer: no trailer of the service has a meaning
        // No other coding was asked for, and none is decoded. Beast lets a Content-Length behind
        // it delimit the body, where RFC 9112, 6.3 says that the message may be an attack.
        if (field == http::field::transfer_encoding && !boost::beast::iequals(value, "chunked")) {
            ec = http::error::bad_transfer_encoding;
            return;
        }
        // A folded value has been put together in a buffer on the parser's stack.
        const bool folded = !in_buffer(value.data());
        const auto at = folded ? parts_.folded_values.size() : position(value.data());
        if (folded) parts_.folded_values.append(value.data(), value.size());
        parts_.fields.push_back({position(name.data()), name.size(), at, value.size(), folded});
    }

    // Pure virtual from Boost 1.90 on, where trailers no longer come through on_field_impl.
    // NOLINTNEXTLINE(modernize-use-override): older ones have nothing to override
    virtual void on_trailer_field_impl(http::field, text, text, error_code&) {}

    void on_header_impl(error_code&) override { head_done_ = true; }

    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
        if (length) expected_ = static_cast<std::size_t>(*length);
    }
    std::size_t on_body_impl(text piece, error_code&) override { return append(piece); }
    void on_chunk_header_impl(std::uint64_t size, text, error_code&) override {
        last_chunk_done_ = size == 0;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, text piece, error_code&) override {
        return append(piece);
    }
    void on_finish_impl(error_code&) override {}

    byte_buffer& buffer_;
    response_parts& parts_;
    std::size_t expected_ = 0;
    bool head_done_ = false;
    bool last_chunk_done_ = false;
};

} // namespace codynamo::net
