// SPDX-License-Identifier: BSL-1.0
// JSON of the user's values: what is read is written and read again, bit for bit.
#include "fuzz/targets.hpp"

#include <codynamo/json_serializer.hpp>

#include <string>

namespace codynamo::fuzz {

void serializer(std::string_view input) {
    const json_serializer<boost::json::value> policy;
    boost::json::value value;
    if (!succeeds([&] { value = policy.deserialize(input); }, errc::deserialize_failed)) return;
    const std::string text = policy.serialize(value);
    const boost::json::value again = policy.deserialize(text);
    require(again == value, "a value comes back");
    require(policy.serialize(again) == text, "as the same text");
}

} // namespace codynamo::fuzz
