// SPDX-License-Identifier: BSL-1.0
// The members of a sign-in's file, and how it is replaced.
#include "aws/sso_token_file.hpp"

#include "aws/credential_documents.hpp"
#include "aws/network_source.hpp"
#include "aws/text.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace codynamo::aws::detail {
namespace {

timestamp time_of(const json_document& from, std::string_view name) {
    std::string text = from.required(from.top(), name);
    // As older tools of AWS wrote it.
    if (text.ends_with("UTC")) text.replace(text.size() - 3, 3, "Z");
    try {
        return parse_rfc3339(text);
    } catch (const error&) {
        from.refuse(": " + std::string(name) + " is not an RFC 3339 time");
    }
}

/// It becomes a header.
std::string checked_word(const json_document& from, std::string_view name) {
    std::string value = from.required(from.top(), name);
    for (const char c : value)
        if (!is_visible(c)) from.refuse(": " + std::string(name) + " is no word of visible ASCII");
    return value;
}

/// A new file that takes the old one's name when it is complete, or goes.
class replacement {
public:
    explicit replacement(const std::string& path) : path_(path), temporary_(path + ".XXXXXX") {
        // Mode 0600, by POSIX.
        descriptor_ = ::mkstemp(temporary_.data());
        if (descriptor_ < 0) fail();
    }
    replacement(const replacement&) = delete;
    replacement& operator=(const replacement&) = delete;
    ~replacement() {
        if (descriptor_ < 0) return;
        ::close(descriptor_);
        if (!done_) ::unlink(temporary_.c_str());
    }

    void write(std::string_view text) {
        while (!text.empty()) {
            const auto count = ::write(descriptor_, text.data(), text.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail();
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    void sync() {
        if (::fsync(descriptor_) != 0) fail();
    }

    void commit() {
        if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
        done_ = true;
    }

private:
    [[noreturn]] void fail() const {
        const boost::system::error_code why(errno, boost::system::generic_category());
        throw error(errc::no_credentials,
                    "cannot write \"" + quotable(path_) + "\": " + why.message());
    }

    const std::string path_;
    std::string temporary_;
    int descriptor_ = -1;
    bool done_ = false;
};

} // namespace

sso_token_file::sso_token_file(std::string path)
    : sso_token_file(path, read_secret_file(path).text()) {}

sso_token_file::sso_token_file(const unsaved_sso_token& unsaved)
    : sso_token_file(unsaved.path, unsaved.text.text()) {
    read_access_ = unsaved.stale_access;
    read_refresh_ = unsaved.stale_refresh;
}

sso_token_file::sso_token_file(std::string path, std::string_view text)
    : path_(std::move(path)), document_(text, "\"" + quotable(path_) + "\"") {
    token_.access_token = secret_string(checked_word(document_, "accessToken"));
    token_.expires = time_of(document_, "expiresAt");
    read_access_ = secret("accessToken");
    read_refresh_ = secret("refreshToken");
}

secret_string sso_token_file::secret(std::string_view name) const {
    return secret_string(document_.words(document_.top(), name));
}

bool sso_token_file::refreshable(timestamp now) const {
    const auto& top = document_.top();
    for (const char* name : {"refreshToken", "clientId", "clientSecret", "registrationExpiresAt"})
        if (!top.contains(name)) return false;
    return now < time_of(document_, "registrationExpiresAt");
}

secret_string sso_token_file::refresh_request() const {
    const auto& top = document_.top();
    json_document request("{}", "the request");
    for (const char* name : {"clientId", "clientSecret", "refreshToken"})
        request.top()[name] = secret_string(document_.required(top, name)).text();
    request.top()["grantType"] = "refresh_token";
    return request.written();
}

void sso_token_file::take(std::string_view answer, timestamp now) {
    const json_document from(answer, "the answer");
    sso_token fresh;
    fresh.access_token = secret_string(checked_word(from, "accessToken"));
    constexpr long long year = 366LL * 24 * 3600;
    fresh.expires = now + std::chrono::seconds(from.number(from.top(), "expiresIn", year));
    const secret_string refresh(from.text(from.top(), "refreshToken"));

    auto& top = document_.top();
    top["accessToken"] = fresh.access_token.text();
    top["expiresAt"] = format_rfc3339(fresh.expires);
    if (!refresh.empty()) top["refreshToken"] = refresh.text();
    token_ = std::move(fresh);
}

bool sso_token_file::is_stale(const unsaved_sso_token& unsaved) const {
    return path_ == unsaved.path && read_access_.text() == unsaved.stale_access.text() &&
           read_refresh_.text() == unsaved.stale_refresh.text();
}

unsaved_sso_token sso_token_file::unsaved() const {
    unsaved_sso_token now;
    now.path = path_;
    now.stale_access = read_access_;
    now.stale_refresh = read_refresh_;
    now.text = document_.written();
    return now;
}

bool sso_token_file::save() const {
    const unsaved_sso_token now = unsaved();
    replacement file(path_);
    file.write(now.text.text());
    file.sync();
    // As late as can be. A lock that all tools respect is not to be had.
    if (!sso_token_file(path_).is_stale(now)) return false;
    file.commit();
    return true;
}

} // namespace codynamo::aws::detail
