// SPDX-License-Identifier: BSL-1.0
// The seam between requests and sockets: one exchange in, one outcome out.
#pragma once

#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>
#include <codynamo/export.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace codynamo::net {

/// Scheme, host and port of a server.
struct CODYNAMO_API origin {
    bool tls = true;
    /// Host name or address; an IPv6 address without its brackets.
    std::string host{};
    std::uint16_t port = 443;

    /// What the Host header says: lower case, IPv6 in brackets, the port only when it is not the
    /// scheme's default.
    [[nodiscard]] std::string authority() const;
    friend bool operator==(const origin&, const origin&) = default;
};

/// Parses "http://host:port" or "https://host" with an optional trailing slash.
/// Throws errc::invalid_argument naming `field` for any other scheme, user info, path, query,
/// fragment or bad port, and for IPv4 addresses that are not four decimal numbers ("127.1",
/// "0x7f000001"): resolvers take those for addresses, everybody else for names.
[[nodiscard]] CODYNAMO_API origin parse_origin(std::string_view url, std::string_view field);

struct header_view {
    std::string_view name{};
    std::string_view value{};
};

/// A whole response, valid during exchange::read only.
struct CODYNAMO_API response_view {
    unsigned status = 0;
    std::span<const header_view> headers{};
    std::string_view body{};

    /// Value of the first header of that name, whatever its case; empty when absent.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

/// One request and what becomes of its response. The transport calls it when a connection is at
/// hand, so a request that waits for one costs no buffers and is signed with the time at which it
/// is sent.
class CODYNAMO_API exchange {
public:
    virtual ~exchange() = default;
    /// Appends the complete HTTP/1.1 request: request line and headers with the empty line to
    /// `head`, content to `body`. Both are empty on entry and are buffers of the connection. Called
    /// again when the request is replayed. What it throws is thrown by transport::send; the
    /// connection is not harmed.
    virtual void write(std::string& head, std::string& body) = 0;
    /// Takes what it needs from the response. What it throws is thrown by transport::send.
    virtual void read(const response_view& response) = 0;
    /// Asked after read. False when the response cannot be the one to this request (not the
    /// promised content, a wrong checksum, another request's answer): whatever comes next on the
    /// connection would be as wrong, so it is closed.
    [[nodiscard]] virtual bool keep_connection() const noexcept { return true; }
};

struct send_options {
    /// The exchange fails with errc::timeout when it is not over by then; waiting for a connection
    /// included.
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    /// Whether the request may be sent twice: allows the silent replay on a fresh connection when a
    /// reused one turns out to have been closed by the server before the first byte of the
    /// response.
    bool replay_safe = false;
};

/// How an exchange ended.
struct send_outcome {
    /// Success means that exchange::read has seen a whole response, whatever its status. It may
    /// have come before the request was sent whole: the connection is closed then.
    boost::system::error_code code{};
    /// Whether the server may have seen the request. False: it certainly has not, so sending again
    /// is safe.
    bool sent = false;
    /// The words beside the code; empty on success.
    std::string message{};
    /// With a failure: most or all of its time was spent waiting for a connection. Says nothing
    /// about the server.
    bool queued = false;
    /// Two copies of the request, at least in part, have gone out (see send_options::replay_safe).
    bool sent_twice = false;
};

/// How many connections there are, and what they have done since the start. A snapshot.
struct transport_stats {
    std::size_t open = 0;       ///< connections in use, idle or being opened
    std::size_t idle = 0;       ///< of those: waiting for work
    std::size_t waiting = 0;    ///< exchanges that wait for a connection
    std::uint64_t opened = 0;   ///< connections opened successfully
    std::uint64_t resumed = 0;  ///< of those: TLS sessions resumed
    std::uint64_t reused = 0;   ///< exchanges on a connection that had served before
    std::uint64_t replayed = 0; ///< exchanges repeated because a reused connection was dead
};

/// Sends exchanges to one origin. Thread-safe; completes on the caller's executor.
class CODYNAMO_API transport {
public:
    virtual ~transport() = default;
    /// `what` must stay alive until completion.
    /// Errors of the network come in the outcome and are not thrown.
    /// Cancellation: terminal, partial and total, at every suspension; throws operation_aborted.
    /// The connection in use is closed.
    [[nodiscard]] virtual boost::asio::awaitable<send_outcome> send(exchange& what,
                                                                    send_options options) = 0;
    /// Refuses new exchanges with errc::closed, fails waiting ones likewise, lets those on the wire
    /// end, closes every connection. Those of other contexts end only if these are run: it does not
    /// wait for an io_context that has been stopped, but it does for one that nobody runs, and for
    /// a stopped thread_pool, until it is destroyed.
    [[nodiscard]] virtual boost::asio::awaitable<void> close() = 0;
    [[nodiscard]] virtual transport_stats stats() const = 0;
};

/// Bounds of the connection pool and of the responses.
struct pool_config {
    /// Most connections per execution context (a connection lives in the context of whoever opened
    /// it); at least 1. When no more can be opened while some are open, exchanges wait for those.
    /// When none is open and the process has no descriptors, memory or ports left, they wait until
    /// it has, or for their deadlines. One new connection at a time is tried meanwhile.
    std::size_t max_connections = 64;
    /// Connections kept open even when idle for long; at most max_connections. 0 keeps none.
    std::size_t min_idle = 0;
    /// Most exchanges that may wait for a connection, per context; more fail with errc::overloaded,
    /// and 0 refuses to wait. Served in order. An exchange whose deadline would pass before its
    /// turn, judged by the exchanges of the last seconds, fails with errc::overloaded at once. So
    /// does one whose turn comes when less time is left than exchanges take, unless five eighths of
    /// its time are left. One slow exchange does not change the estimate much: when in doubt, an
    /// exchange waits.
    std::size_t max_waiting = 1'000'000;
    /// A connection idle for longer is not used again. Well below the 60 s after which the service
    /// has been seen to close. It is closed when the next exchange begins in its context, or with
    /// the transport or the context: a timer for it would keep io_context::run() from returning.
    /// > 0, at most 24 h.
    std::chrono::milliseconds idle_limit{20'000};
    /// A connection older than this, less up to a tenth of it by chance, is closed after use, so
    /// that DNS changes are followed. > 0, at most 24 h.
    std::chrono::milliseconds max_age{300'000};
    /// Name resolution, TCP connect and TLS handshake together; also bounded by the call's
    /// deadline. > 0, at most 24 h.
    std::chrono::milliseconds connect_timeout{3'100};
    /// Largest response head; 1 KiB to 1 MiB.
    std::size_t max_head_bytes = 64 * 1024;
    /// Largest response body. DynamoDB's largest answer is 16 MB of data, which JSON and base64
    /// swell. At least 1 KiB; SIZE_MAX: no bound.
    std::size_t max_body_bytes = 64 * 1024 * 1024;
};

struct tls_config {
    /// PEM file of the certificate authorities to trust; empty for the system's trust store.
    std::string ca_file{};
    /// Accepts any certificate. Whoever listens on the way can then read and change everything. For
    /// experiments only.
    bool dangerously_skip_certificate_verification = false;
    /// What error messages call ca_file, e.g. the environment variable it is from; empty:
    /// "tls.ca_file".
    std::string ca_file_source{};
};

/// Which proxy a connection passes through. It is always asked for a tunnel (CONNECT), for plain
/// HTTP too. Link-local and loopback hosts are never reached through a proxy.
struct proxy_config {
    /// "http://[user:password@]host[:port]", user and password percent-encoded; port 8080 unless
    /// given. They are sent as Proxy-Authorization: Basic, in plain, and appear in no message or
    /// log line. Empty: see from_environment.
    std::string url{};
    /// Hosts to reach directly, separated by commas: a name stands for itself and everything below
    /// it, an address for itself, "address/bits" for a network, "*" for all; ":port" may follow all
    /// but networks. Empty: see from_environment, where entries that make no sense are skipped.
    std::string no_proxy{};
    /// Whether HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower case wins, as in curl) stand for what is
    /// empty above. HTTP_PROXY in upper case is ignored where REQUEST_METHOD is set: there it is
    /// what a CGI program's client has put into a header "Proxy".
    bool from_environment = true;
};

/// Turns a host name (the proxy's, where there is one) into textual addresses, in the order of
/// preference. Called on a strand of the context that wants to connect, possibly for several
/// contexts at once; bounded by the connect time-out. Asked for each connection that is opened,
/// except that those opened meanwhile share the answer. Cancelled (terminal) when nobody waits for
/// it any more, or when one more connection needs it and it has taken twice the connect time-out:
/// all who still wait then share a new call. Until the cancelled one has returned, the next is not
/// cancelled but kept and joined by all who come, so that no more than two are under way per
/// context. No address, or an exception, becomes errc::resolve_failed.
using resolver = std::function<boost::asio::awaitable<std::vector<std::string>>(std::string host)>;

/// How servers are reached.
struct network_config {
    proxy_config proxy{};
    /// Empty for the system's resolver (getaddrinfo, in a thread of Asio's).
    resolver resolve{};
    /// Head start of each address over the next one, the families taking turns (RFC 8305, "happy
    /// eyeballs"). 10 ms to 2 s.
    std::chrono::milliseconds attempt_delay{250};
};

/// The real thing: pooled HTTP/1.1 over TCP or TLS.
/// A proxy's refusal, silence or nonsense is errc::connect_failed; TLS within its tunnel is
/// verified against the server's name. The environment variables of proxies are read here, once.
/// Throws errc::invalid_argument when a bound is violated or a proxy's URL makes no sense,
/// errc::tls_failed when the CA file cannot be loaded.
[[nodiscard]] CODYNAMO_API std::shared_ptr<transport>
make_transport(origin server, pool_config pool, tls_config tls, environment env,
               network_config network = network_config());

} // namespace codynamo::net
