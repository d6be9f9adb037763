// SPDX-License-Identifier: BSL-1.0
// The servers that hand out credentials, as scripts: answers one after the other, every request on
// record, and time and environment under the test's control.
#pragma once

#include "support/log_lines.hpp"
#include "support/longest_jitter.hpp"
#include "support/tap.hpp"
#include "unit/aws/fixtures.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/testing/fake_transport.hpp>
#include <codynamo/testing/manual_clock.hpp>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace codynamo::testing_support {

using testing::fake_request;
using testing::fake_response;

inline fake_response answer(unsigned status, std::string body = {},
                            std::vector<std::pair<std::string, std::string>> headers = {}) {
    fake_response response;
    response.status = status;
    response.body = std::move(body);
    response.headers = std::move(headers);
    return response;
}

inline fake_response broken(errc code, bool sent = false) {
    return fake_response::network_error(make_error_code(code), sent);
}

/// The world of one source.
class scripted_services {
public:
    explicit scripted_services(variables known = {}, std::vector<fake_response> answers = {})
        : state_(std::make_shared<state>()) {
        state_->known = std::move(known);
        state_->answers.assign(answers.begin(), answers.end());
    }

    /// Everything that a source gets.
    [[nodiscard]] aws::source_options options() const {
        aws::source_options made;
        made.env.time = time;
        made.env.random = std::make_shared<test_support::longest_jitter>();
        made.env.log.level = log_level::debug;
        made.env.log.sink = state_->log.sink();
        made.env.variable = [kept = state_](const char* name) -> std::optional<std::string> {
            const auto found = kept->known.find(name);
            if (found == kept->known.end()) return std::nullopt;
            return found->second;
        };
        made.env = tapped(std::move(made.env));
        made.connect = [kept = state_](const net::origin& server) {
            ++kept->connected;
            const std::string base = (server.tls ? "https://" : "http://") + server.authority();
            return std::make_shared<testing::fake_transport>(
                [kept, base](const fake_request& request) {
                    kept->requests.push_back(request);
                    kept->lines.push_back(line_of(request, base));
                    if (kept->answers.empty()) {
                        kept->unexpected = true;
                        return broken(errc::bad_response);
                    }
                    const fake_response next = kept->answers.front();
                    kept->answers.pop_front();
                    if (kept->before_answer) kept->before_answer();
                    return next;
                });
        };
        return made;
    }

    void set(const std::string& name, const std::string& value) { state_->known[name] = value; }
    void unset(const std::string& name) { state_->known.erase(name); }
    void will_answer(fake_response next) { state_->answers.push_back(std::move(next)); }
    void before_each_answer(std::function<void()> act) { state_->before_answer = std::move(act); }

    /// "GET http://host/path", one for each request.
    [[nodiscard]] const std::vector<std::string>& lines() const { return state_->lines; }
    [[nodiscard]] const std::vector<fake_request>& requests() const { return state_->requests; }
    [[nodiscard]] std::vector<std::string> log() const { return state_->log.all(); }
    [[nodiscard]] int connected() const { return state_->connected; }
    /// Whether all answers were asked for, and no more.
    [[nodiscard]] bool exhausted() const { return state_->answers.empty() && !state_->unexpected; }

    std::shared_ptr<testing::manual_clock> time = std::make_shared<testing::manual_clock>();

private:
    struct state {
        variables known;
        std::deque<fake_response> answers;
        std::function<void()> before_answer;
        std::vector<fake_request> requests;
        std::vector<std::string> lines;
        log_lines log;
        int connected = 0;
        bool unexpected = false;
    };

    static std::string line_of(const fake_request& request, const std::string& base) {
        const auto first = request.head.find(' ');
        const auto second = request.head.find(' ', first + 1);
        return request.head.substr(0, first + 1) + base +
               request.head.substr(first + 1, second - first - 1);
    }

    std::shared_ptr<state> state_;
};

} // namespace codynamo::testing_support
