// SPDX-License-Identifier: BSL-1.0
#include "instant_transport.hpp"

#include "batch_server.hpp"
#include "dynamodb/base64.hpp"
#include "dynamodb/crc32.hpp"

#include <array>
#include <utility>

namespace bench {
namespace {

using namespace codynamo;

class instant_transport final : public net::transport {
public:
    explicit instant_transport(const std::string& key) {
        body_ = R"({"Item":{"key":{"S":")" + key + R"("},"value":{"B":")";
        dynamodb::append_base64(body_, served_value(key));
        body_ += R"("},"expire":{"N":"0"},"update_ts":{"N":"1767225600.123456"}}})";
        crc_ = std::to_string(dynamodb::crc32(body_));
    }

    boost::asio::awaitable<net::send_outcome> send(net::exchange& what,
                                                   net::send_options) override {
        exchange(what);
        net::send_outcome outcome;
        outcome.sent = true;
        co_return outcome;
    }
    boost::asio::awaitable<void> close() override { co_return; }
    [[nodiscard]] net::transport_stats stats() const override { return {}; }

private:
    void exchange(net::exchange& what) const {
        // As a connection has them.
        thread_local std::string head, body;
        head.clear();
        body.clear();
        what.write(head, body);
        const std::array headers{net::header_view{"Server", "Server"},
                                 net::header_view{"x-amzn-RequestId", "B8QG9L2VJTR8S6V0HNJ6V9S2"},
                                 net::header_view{"x-amz-crc32", crc_}};
        net::response_view response;
        response.status = 200;
        response.headers = headers;
        response.body = body_;
        what.read(response);
    }

    std::string body_;
    std::string crc_;
};

} // namespace

std::shared_ptr<net::transport> make_instant_transport(const std::string& key) {
    return std::make_shared<instant_transport>(key);
}

} // namespace bench
