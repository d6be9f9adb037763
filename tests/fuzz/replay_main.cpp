// SPDX-License-Identifier: BSL-1.0
// The corpora without a fuzzer: every file, and neighbours of each by a fixed sequence of
// mutations.
//     fuzz_replay TARGET FOLDER
#include "fuzz/targets.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using target = void (*)(std::string_view);

target find_target(std::string_view wanted) {
#define CODYNAMO_MATCH(name)                                                                       \
    if (wanted == #name) return codynamo::fuzz::name;
    CODYNAMO_FOR_EACH_FUZZ_TARGET(CODYNAMO_MATCH)
#undef CODYNAMO_MATCH
    return nullptr;
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<std::string> texts;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        texts.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return texts;
}

/// A few bytes changed, dropped or doubled, or the end cut off.
std::string mutated(std::string text, std::mt19937& random) {
    constexpr std::string_view marks = "\r\n\t {}[]\":,\\0-9.e+%#@/<>&;=";
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    for (auto changes = 1 + below(4); changes != 0; --changes) {
        const auto at = below(text.size());
        switch (below(5)) {
        case 0:
            if (!text.empty()) text[at] = static_cast<char>(below(256));
            break;
        case 1:
            text.erase(at, 1 + below(8));
            break;
        case 2:
            text.insert(at, text.substr(below(text.size()), below(16)));
            break;
        case 3:
            text.insert(at, 1, marks[below(marks.size())]);
            break;
        default:
            text.resize(at);
        }
    }
    return text;
}

} // namespace

int main(int count, char** arguments) {
    const target check = count == 3 ? find_target(arguments[1]) : nullptr;
    if (check == nullptr) {
        std::cerr << "usage: fuzz_replay TARGET FOLDER\n";
        return 2;
    }
    const auto corpus = read_corpus(arguments[2]);
    if (corpus.empty()) {
        std::cerr << arguments[2] << " is empty\n";
        return 1;
    }
    constexpr std::size_t neighbours = 4000;
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same ones each time
    check({});
    for (const auto& text : corpus)
        check(text);
    for (std::size_t i = 0; i != neighbours; ++i)
        check(mutated(corpus[i % corpus.size()], random));
    std::cout << arguments[1] << ": " << corpus.size() << " files and " << neighbours
              << " neighbours of them\n";
}
