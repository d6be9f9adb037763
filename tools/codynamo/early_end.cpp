// SPDX-License-Identifier: BSL-1.0
// What is said when a verb fails or is interrupted: why, where, what to do, and what was done.
#include "output.hpp"
#include "program.hpp"

#include <utility>

namespace tool {
namespace json = boost::json;

namespace {

/// The error with what the command line can do about it.
std::string explained(const program& self, const codynamo::error& why) {
    std::string text = why.what();
    if (why.code() == codynamo::errc::resource_not_found) {
        return "there is no table '" + self.global.table + "' in " + self.place + ": " + text +
               "; 'codynamo table create' with the same options creates it";
    }
    const codynamo::diagnostics& info = why.info();
    if (info.http_status >= 300 && info.http_status < 500 && info.service_code.empty())
        return text + "; is this DynamoDB? It was looked for in " + self.place + ", see --endpoint";
    if (text.starts_with("region is missing")) return text + ", or give --region";
    return text;
}

/// Text and JSON of an early end, with what was done by then.
void say(const program& self, write_state last, std::string text, json::object words) {
    steps_done done = self.done_so_far ? self.done_so_far(last) : steps_done();
    if (!done.text.empty()) text += "; " + done.text;
    complain(text);
    for (auto& [name, value] : done.figures)
        words[name] = std::move(value);
    self.global.json.write(json_text(words));
}

int say_interrupted(const program& self) {
    std::string text = "interrupted";
    if (self.writing) text += "; outcome unknown: the write under way may have taken effect";
    say(self, self.writing ? write_state::unknown : write_state::none, text,
        {{"error", text},
         {"kind", "interrupted"},
         {"interrupted", true},
         {"outcome_unknown", self.writing}});
    return support::exit_interrupted;
}

} // namespace

int report_early_end(const program& self) {
    try {
        throw;
    } catch (const support::interrupted&) {
        return say_interrupted(self);
    } catch (const codynamo::error& why) {
        json::object words = describe(why);
        words["error"] = explained(self, why);
        const write_state last = !self.writing                ? write_state::none
                                 : why.info().outcome_unknown ? write_state::unknown
                                                              : write_state::failed;
        say(self, last, explained(self, why), std::move(words));
        return exit_code_of(why.code());
    }
}

} // namespace tool
