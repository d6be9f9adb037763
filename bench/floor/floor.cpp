// SPDX-License-Identifier: BSL-1.0
// codynamo-floor: what a get would cost if there were nothing but Asio and Beast: one connection a
// lane, one constant request, the body of the answer thrown away.
#include "measure.hpp"
#include "program_support/command_line.hpp"
#include "ticker.hpp"

#include <codynamo/net/transport.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

/// Beast's notion of a body, for one that nobody wants.
struct discarded_body {
    struct value_type {};
    struct reader {
        template <bool IsRequest, class Fields>
        reader(http::header<IsRequest, Fields>&, value_type&) {}
        void init(const boost::optional<std::uint64_t>&, boost::system::error_code& code) {
            code = {};
        }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& code) {
            code = {};
            return asio::buffer_size(buffers);
        }
        void finish(boost::system::error_code& code) { code = {}; }
    };
};

struct floor_run {
    const bench::wire_options& options;
    codynamo::net::origin server;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    std::string request;
    bench::measurement measured;
    bench::ticker* looking = nullptr;
    unsigned lanes = 0;
};

/// As long as the library's own request, header by header.
std::string constant_request(const bench::wire_options& options, const std::string& authority) {
    const std::string body =
        R"({"TableName":")" + options.table + R"(","Key":{"key":{"S":")" + options.key + R"("}}})";
    return "POST / HTTP/1.1\r\n"
           "content-type: application/x-amz-json-1.0\r\nhost: " +
           authority +
           "\r\n"
           "x-amz-date: 20260101T000000Z\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n"
           "authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/"
           "aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
           "Signature=" +
           std::string(64, '0') +
           "\r\n"
           "content-length: " +
           std::to_string(body.size()) + "\r\nuser-agent: floor\r\n\r\n" + body;
}

asio::awaitable<tcp::socket> connect(const floor_run& run) {
    const auto executor = co_await asio::this_coro::executor;
    tcp::resolver resolver(executor);
    const auto found = co_await resolver.async_resolve(
        run.server.host, std::to_string(run.server.port), asio::use_awaitable);
    tcp::socket socket(executor);
    co_await asio::async_connect(socket, found, asio::use_awaitable);
    socket.set_option(tcp::no_delay(true));
    co_return socket;
}

/// One request, one answer; whether its status is 200.
template <class Stream>
asio::awaitable<bool> exchange(Stream& stream, boost::beast::flat_buffer& buffer,
                               const std::string& request) {
    co_await asio::async_write(stream, asio::buffer(request), asio::deferred);
    http::response_parser<discarded_body> parser;
    co_await http::async_read(stream, buffer, parser, asio::deferred);
    if (!parser.get().keep_alive())
        throw std::runtime_error("the server closes its connections; the floor keeps one a lane");
    co_return parser.get().result() == http::status::ok;
}

template <class Stream>
asio::awaitable<void> lane(floor_run& run, Stream stream) {
    // Without it Beast reads 512 bytes at a time.
    boost::beast::flat_buffer buffer;
    buffer.reserve(16 * 1024);
    bool good = true;
    try {
        for (;;) {
            const auto begin = bench::steady::now();
            good = co_await exchange(stream, buffer, run.request);
            if (!run.measured.record(begin, bench::steady::now(), good)) co_return;
        }
    } catch (const std::exception& why) {
        run.measured.note_failure(why.what());
    }
}

asio::awaitable<void> connect_and_loop(floor_run& run) {
    try {
        tcp::socket socket = co_await connect(run);
        if (!run.server.tls) {
            co_await lane(run, std::move(socket));
            co_return;
        }
        asio::ssl::stream<tcp::socket> stream(std::move(socket), run.tls);
        stream.set_verify_callback(asio::ssl::host_name_verification(run.server.host));
        SSL_set_tlsext_host_name(stream.native_handle(), run.server.host.c_str());
        co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
        co_await lane(run, std::move(stream));
    } catch (const std::exception& why) {
        run.measured.note_failure(why.what());
    }
}

asio::awaitable<void> open_lane(floor_run& run) {
    co_await connect_and_loop(run);
    if (--run.lanes == 0) run.looking->stop();
}

int run_floor(const bench::wire_options& options) {
    const auto server = codynamo::net::parse_origin(options.server, "--server");
    floor_run run{.options = options,
                  .server = server,
                  .request = constant_request(options, server.authority()),
                  .measured = bench::measurement(options, "floor"),
                  .lanes = options.concurrency};
    run.tls.set_verify_mode(asio::ssl::verify_peer);
    if (options.tls_ca.empty())
        run.tls.set_default_verify_paths();
    else
        run.tls.load_verify_file(options.tls_ca);
    asio::io_context context(1);
    bench::ticker looking(context, [&run] { return run.measured.look(); });
    run.looking = &looking;
    for (unsigned i = 0; i < options.concurrency; ++i) {
        asio::co_spawn(context, open_lane(run), asio::detached);
    }
    context.run();
    return run.measured.report("bare Asio and Beast");
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app("The cost of a get without a library", "codynamo-floor");
    bench::wire_options options;
    bench::add_server_url_option(app, options.server);
    bench::add_wire_options(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& why) {
        std::fprintf(stderr, "codynamo-floor: %s\n", support::usage_error(app, why).c_str());
        return 2;
    }
    try {
        options.json.open();
        bench::use_server(options, bench::server_under_test(options.server));
        return run_floor(options);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "codynamo-floor: %s\n", why.what());
        return 3;
    }
}
