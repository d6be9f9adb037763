// SPDX-License-Identifier: BSL-1.0
// Finds the public conformance vectors: CODYNAMO_VECTORS, else ../shared/vectors beside the
// project.
#pragma once

#include "support/catch.hpp"

#include <boost/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

namespace codynamo::testing_support {

/// nullopt, with a warning in the test's output, when the folder does not have the file.
inline std::optional<boost::json::value> load_vectors(const std::string& file) {
    const char* folder = std::getenv("CODYNAMO_VECTORS");
    const std::string path =
        (folder ? std::string(folder) : CODYNAMO_SOURCE_DIR "/../shared/vectors") + "/" + file;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        WARN("skipped: no vectors (" << path << ")");
        return std::nullopt;
    }
    return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

/// Counts cases for the one line that each vector test prints.
class vector_tally {
public:
    void pass() { ++passed_; }
    void skip(const std::string& reason) { ++skipped_[reason]; }
    [[nodiscard]] int passed() const { return passed_; }

    void print(const std::string& file) const {
        std::string line = file + ": " + std::to_string(passed_) + " passed";
        for (const auto& [reason, count] : skipped_) {
            line += "; " + std::to_string(count) + " skipped: " + reason;
        }
        WARN(line);
    }

private:
    int passed_ = 0;
    std::map<std::string, int> skipped_;
};

} // namespace codynamo::testing_support
