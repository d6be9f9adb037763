// SPDX-License-Identifier: BSL-1.0
#include "server_identity.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <stdexcept>

namespace codynamo::test {

namespace {

using headers = std::multimap<std::string, std::string>;

headers headers_of(const std::string& url) {
    const std::string scheme = "http://";
    const std::size_t colon = url.rfind(':');
    if (!url.starts_with(scheme) || colon < scheme.size())
        throw std::runtime_error(url + " is not http://HOST:PORT");
    const std::string host = url.substr(scheme.size(), colon - scheme.size());
    const std::string port = url.substr(colon + 1, url.find('/', colon) - colon - 1);
    boost::asio::ip::tcp::iostream stream;
    stream.expires_after(std::chrono::seconds(10));
    stream.connect(host, port);
    stream << "GET / HTTP/1.1\r\nHost: " << host << "\r\nConnection: close\r\n\r\n" << std::flush;
    headers found;
    std::string line;
    std::getline(stream, line);
    while (std::getline(stream, line) && line != "\r") {
        std::string name = line.substr(0, line.find(':'));
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        const std::size_t value = std::min(line.find_first_not_of(": ", name.size()), line.size());
        found.emplace(std::move(name),
                      line.substr(value, line.find_last_not_of("\r ") + 1 - value));
    }
    if (found.empty()) throw std::runtime_error("no server answers at " + url);
    return found;
}

} // namespace

std::string server_at(const std::string& url) {
    const headers found = headers_of(url);
    if (const auto version = found.find("x-dynoxide-version"); version != found.end())
        return "dynoxide " + version->second;
    std::string names;
    for (auto [at, last] = found.equal_range("server"); at != last; ++at)
        names += (names.empty() ? "" : ", ") + at->second;
    if (names.starts_with("Werkzeug")) return "moto (" + names + ")";
    if (names.starts_with("Jetty")) return "DynamoDB Local (" + names + ")";
    return names.empty() ? "a server that does not say its name" : names;
}

std::string endpoint_from(const char* variable) {
    const char* url = std::getenv(variable);
    if (!url) throw std::runtime_error(std::string("skipped: ") + variable + " is not set");
    static std::set<std::string> met;
    if (met.insert(url).second) std::cout << "met " << server_at(url) << " at " << url << std::endl;
    return url;
}

} // namespace codynamo::test
