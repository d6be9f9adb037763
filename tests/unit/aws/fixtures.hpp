// SPDX-License-Identifier: BSL-1.0
// What the tests of this room share: an environment made of a map, files that vanish, and a way to
// run an awaitable to its end.
#pragma once

#include "support/catch.hpp"
#include "support/tap.hpp"

#include <codynamo/environment.hpp>
#include <codynamo/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace codynamo::testing_support {

using variables = std::map<std::string, std::string>;

/// An environment whose variables are `known`; changes to it show at once.
inline environment fake_environment(std::shared_ptr<const variables> known) {
    environment env = tapped();
    env.variable = [known = std::move(known)](const char* name) -> std::optional<std::string> {
        const auto found = known->find(name);
        if (found == known->end()) return std::nullopt;
        return found->second;
    };
    return env;
}

inline environment fake_environment(variables known) {
    return fake_environment(std::make_shared<const variables>(std::move(known)));
}

/// A fresh folder under the system's temporary one, removed at the end.
class scratch_folder {
public:
    scratch_folder() {
        auto random = environment::system_random();
        path_ = std::filesystem::temp_directory_path() /
                ("codynamo-test-" + std::to_string(random->next()));
        std::filesystem::create_directories(path_);
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    void write(const std::string& name, const std::string& text) const {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }
    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

template <class T>
T run(boost::asio::awaitable<T> operation) {
    boost::asio::io_context context;
    std::optional<T> value;
    std::exception_ptr failed;
    boost::asio::co_spawn(context, std::move(operation), [&](std::exception_ptr e, T result) {
        failed = e;
        value = std::move(result);
    });
    context.run();
    if (failed) std::rethrow_exception(failed);
    return std::move(value.value());
}

/// The message of the codynamo::error with this code that `call` throws.
template <class Call>
std::string message_of(errc code, Call&& call) {
    try {
        call();
    } catch (const error& caught) {
        CHECK(caught.code() == code);
        return caught.info().message;
    }
    FAIL_CHECK("nothing was thrown");
    return {};
}

} // namespace codynamo::testing_support
