// SPDX-License-Identifier: BSL-1.0
// The exchange, its bounds, and the loop around it.
#include "aws/http_fetch.hpp"

#include "aws/text.hpp"
#include "net/wipe.hpp"

#include <codynamo/aws/retry.hpp>

#include <algorithm>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace codynamo::aws::detail {
namespace {

constexpr std::size_t max_answer_bytes = 64 * 1024;

class fetch_exchange final : public net::exchange {
public:
    fetch_exchange(const http_request& request, const net::origin& server, const clock& time)
        : request_(request), authority_(server.authority()), keep_(!server.tls), time_(time) {}

    void write(std::string& head, std::string& body) override {
        answer_.when.sent = time_.now();
        net::reserve_wiping(head, head_room());
        net::reserve_wiping(body, request_.body.text().size());
        head.append(request_.method).append(" ").append(request_.target);
        head.append(" HTTP/1.1\r\nHost: ").append(authority_);
        for (const auto& [name, value] : request_.headers)
            head.append("\r\n").append(name).append(": ").append(value.text());
        body.append(request_.body.text());
        if (!body.empty() || request_.method != "GET")
            head.append("\r\nContent-Length: ").append(std::to_string(body.size()));
        head.append("\r\nAccept-Encoding: identity\r\nUser-Agent: codynamo/0.1.0\r\n\r\n");
    }

    void read(const net::response_view& response) override {
        answer_.status = response.status;
        answer_.when.received = time_.now();
        answer_.clock_error = observed_skew(response, answer_.when);
        for (const auto& [name, value] : response.headers)
            answer_.headers.emplace_back(name, value);
        answer_.body = secret_string(std::string(response.body));
    }

    [[nodiscard]] bool keep_connection() const noexcept override { return keep_; }

    [[nodiscard]] http_answer take(const net::send_outcome& how, unsigned attempts) {
        answer_.failure = how.code;
        answer_.words = how.code && how.message.empty() ? how.code.message() : how.message;
        answer_.sent = how.sent;
        answer_.attempts = attempts;
        return std::move(answer_);
    }

private:
    [[nodiscard]] std::size_t head_room() const {
        std::size_t room = 256 + request_.method.size() + request_.target.size();
        room += authority_.size();
        for (const auto& [name, value] : request_.headers)
            room += name.size() + value.text().size() + 4;
        return room;
    }

    const http_request& request_;
    const std::string authority_;
    const bool keep_; // a transport that is kept would keep the connection too
    const clock& time_;
    http_answer answer_;
};

/// The caller knows what its values are; here they are only kept from ending their line.
void refuse_unsendable(const http_request& request) {
    require_word("the request's target", request.target);
    for (const auto& [name, value] : request.headers) {
        require_word("a header's name", name);
        require_no_control("header " + name, value.text());
    }
}

net::pool_config pool_for(const fetch_limits& limits) {
    net::pool_config pool;
    pool.max_connections = 1;
    pool.connect_timeout = limits.connect_timeout;
    pool.max_body_bytes = max_answer_bytes;
    return pool;
}

std::shared_ptr<net::transport> connect(const source_options& options, const net::origin& server,
                                        const fetch_limits& limits, bool direct,
                                        source_memory* memory) {
    if (options.connect) return options.connect(server);
    if (!server.tls) memory = nullptr;
    const kept_way way{server, direct, options.tls.ca_file};
    if (memory) {
        if (auto known = memory->transport_of(way)) return known;
    }
    net::network_config network = options.network;
    if (direct) {
        network.proxy = net::proxy_config();
        network.proxy.from_environment = false;
    }
    auto made = net::make_transport(server, pool_for(limits), options.tls, options.env, network);
    if (memory) memory->keep(way, made);
    return made;
}

/// Full jitter, up to 1, 2, 4 … 20 s.
std::chrono::microseconds backoff(unsigned attempts, random_source& random) {
    const auto bound =
        std::min<std::chrono::microseconds>(1s * (1 << std::min(attempts - 1, 5U)), 20s);
    return std::chrono::microseconds(
        static_cast<long long>(static_cast<double>(bound.count()) * random.uniform()));
}

} // namespace

std::string_view http_answer::header(std::string_view name) const noexcept {
    const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& one) {
        return std::equal(one.first.begin(), one.first.end(), name.begin(), name.end(),
                          [](char a, char b) { return to_lower(a) == to_lower(b); });
    });
    return found == headers.end() ? std::string_view{} : std::string_view(found->second);
}

std::string http_answer::outcome() const {
    std::string text = failure ? words : "answered " + std::to_string(status);
    if (attempts > 1) text += " (" + std::to_string(attempts) + " attempts)";
    return text;
}

http_fetcher::http_fetcher(const source_options& options, net::origin server, fetch_limits limits,
                           bool direct, const std::shared_ptr<source_memory>& memory)
    : env_(options.env), server_(std::move(server)), limits_(limits),
      transport_(connect(options, server_, limits_, direct, memory.get())), memory_(memory) {}

asio::awaitable<http_answer> http_fetcher::fetch(http_request request, judge again) {
    refuse_unsendable(request);
    if (memory_) memory_->set_server(server_.authority());
    const clock& time = *env_.time;
    const auto end = time.steady_now() + limits_.total_timeout;
    for (unsigned attempt = 1;; ++attempt) {
        fetch_exchange one(request, server_, time);
        net::send_options how;
        how.deadline = std::min(time.steady_now() + limits_.attempt_timeout, end);
        how.replay_safe = request.repeatable;
        const net::send_outcome outcome = co_await transport_->send(one, how);
        http_answer answer = one.take(outcome, attempt);
        if (attempt >= limits_.attempts || !again(answer)) co_return answer;
        if (answer.failure && answer.sent && !request.repeatable) co_return answer;
        const auto wake = time.steady_now() + backoff(attempt, *env_.random);
        if (wake >= end) co_return answer;
        co_await time.sleep_until(wake);
    }
}

bool is_transient(const http_answer& answer) noexcept {
    if (answer.failure) return classify_error(answer.failure) != retry_class::none;
    return answer.status >= 500 || answer.status == 429;
}

secret_string form_encode(const text_fields& fields) {
    // Room for everything first: a string that grows leaves what it held behind.
    std::size_t room = 0;
    for (const auto& [name, value] : fields)
        room += 2 + 3 * (name.size() + value.text().size());
    secret_string encoded;
    std::string& text = encoded.text();
    text.reserve(room);
    for (const auto& [name, value] : fields) {
        if (!text.empty()) text += '&';
        append_uri_encoded(text, name);
        text += '=';
        append_uri_encoded(text, value.text());
    }
    return encoded;
}

} // namespace codynamo::aws::detail
