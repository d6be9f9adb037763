// SPDX-License-Identifier: BSL-1.0
// Looks for keys by their JSON alone, and puts the answers together from pieces: it is to be no
// bottleneck, and allocates nothing once its buffers have grown.
#include "batch_server.hpp"

#include "dynamodb/base64.hpp"
#include "dynamodb/crc32.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <cstdlib>
#include <pthread.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace bench {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::string_view record_head = R"({"key":{"S":")";
constexpr std::string_view record_middle = R"("},"value":{"B":")";
constexpr std::string_view record_tail =
    R"("},"expire":{"N":"0"},"update_ts":{"N":"1767225600.123456"}})";

void answer_keys(std::string_view request, std::string& out) {
    constexpr std::string_view mark = R"("S":")";
    bool first = true;
    for (std::size_t at = request.find(mark); at != request.npos; at = request.find(mark, at)) {
        at += mark.size();
        const std::size_t end = request.find('"', at); // the bench's keys need no escapes
        if (!first) out += ',';
        first = false;
        const std::string_view key = request.substr(at, end - at);
        out += record_head;
        out += key;
        out += record_middle;
        codynamo::dynamodb::append_base64(out, served_value(key));
        out += record_tail;
    }
}

void answer(std::string_view head, std::string_view body, std::string& content) {
    content.clear();
    if (head.find("BatchGetItem") != head.npos) {
        const std::size_t begin = body.find('"', 17) == body.npos ? 0 : body.find('{', 2) + 1;
        const std::size_t end = body.find(':', begin);
        content += R"({"Responses":{)";
        content += body.substr(begin, end - begin); // the table's name
        content += ":[";
        answer_keys(body, content);
        content += "]}}";
    } else if (head.find(".GetItem") != head.npos) {
        content += R"({"Item":)";
        answer_keys(body, content);
        content += '}';
    } else {
        content += "{}";
    }
}

std::size_t length_of(std::string_view head) {
    for (const std::string_view name : {"Content-Length: ", "content-length: "}) {
        const std::size_t at = head.find(name);
        if (at == head.npos) continue;
        std::size_t length = 0;
        const char* const begin = head.data() + at + name.size();
        std::from_chars(begin, head.data() + head.size(), length);
        return length;
    }
    return 0;
}

/// Closed while the server is held. Belongs to the server's thread.
struct gate {
    explicit gate(asio::io_context& context) : opened(context) {}
    asio::steady_timer opened; // cancelled when it opens
    bool closed = false;
};

asio::awaitable<void> serve(tcp::socket socket, std::chrono::microseconds delay, gate& held) {
    asio::steady_timer timer(socket.get_executor());
    socket.set_option(tcp::no_delay(true));
    std::string in, content, out;
    in.reserve(1 << 16);
    std::string space(1 << 16, '\0');
    for (;;) {
        std::size_t end = in.find("\r\n\r\n");
        while (end == in.npos ||
               in.size() < end + 4 + length_of(std::string_view(in).substr(0, end))) {
            in.append(space, 0,
                      co_await socket.async_read_some(asio::buffer(space), asio::deferred));
            end = in.find("\r\n\r\n");
        }
        const std::string_view head = std::string_view(in).substr(0, end + 4);
        const std::string_view body = std::string_view(in).substr(end + 4, length_of(head));
        answer(head, body, content);
        out = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\n"
              "x-amzn-RequestId: B8QG9L2VJTR8S6V0HNJ6V9S2FVVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
              "x-amz-crc32: ";
        out += std::to_string(codynamo::dynamodb::crc32(content));
        out += "\r\nContent-Length: ";
        out += std::to_string(content.size());
        out += "\r\n\r\n";
        out += content;
        in.erase(0, end + 4 + body.size());
        if (delay.count() > 0) {
            timer.expires_after(delay);
            co_await timer.async_wait(asio::deferred);
        }
        while (held.closed) {
            boost::system::error_code cancelled;
            co_await held.opened.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        }
        co_await asio::async_write(socket, asio::buffer(out), asio::deferred);
    }
}

asio::awaitable<void> listen(tcp::acceptor& at, std::chrono::microseconds delay, gate& held) {
    for (;;) {
        tcp::socket socket = co_await at.async_accept(asio::deferred);
        asio::co_spawn(at.get_executor(), serve(std::move(socket), delay, held), asio::detached);
    }
}

} // namespace

void pin_to_core(int core) noexcept {
    if (core < 0) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(core), &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

class batch_server::impl {
public:
    impl(int core, std::chrono::microseconds delay)
        : acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
          thread_([this, core, delay] {
              pin_to_core(core);
              asio::co_spawn(context_, listen(acceptor_, delay, gate_), asio::detached);
              context_.run();
          }) {}
    ~impl() {
        context_.stop();
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    void set_held(bool held) {
        asio::post(context_, [this, held] {
            gate_.closed = held;
            if (held)
                gate_.opened.expires_at(asio::steady_timer::time_point::max());
            else
                gate_.opened.cancel();
        });
    }

private:
    asio::io_context context_{1};
    gate gate_{context_};
    tcp::acceptor acceptor_;
    std::thread thread_;
};

batch_server::batch_server(int core, std::chrono::microseconds delay)
    : impl_(std::make_unique<impl>(core, delay)) {}
batch_server::~batch_server() = default;
std::uint16_t batch_server::port() const noexcept {
    return impl_->port();
}
void batch_server::hold() {
    impl_->set_held(true);
}
void batch_server::release() {
    impl_->set_held(false);
}

std::string served_value(std::string_view key) {
    std::string value(key);
    value.resize(1024, 'x');
    return value;
}

} // namespace bench
