// SPDX-License-Identifier: BSL-1.0
// Attribute values off the wire: objects of one member, whose name is the type.
#include "dynamodb/base64.hpp"
#include "dynamodb/json_reader.hpp"

#include <utility>

namespace codynamo::dynamodb {
namespace json = boost::json;
namespace {

void read_value(const json::value& v, const path& where, attribute_value& out);

void read_scalar(const json::value& v, const path& where, std::string& out) {
    out = as_text(v, where);
}
void read_scalar(const json::value& v, const path& where, number& out) {
    out = number(std::string(as_text(v, where)));
}
void read_scalar(const json::value& v, const path& where, binary& out) {
    if (!decode_base64(as_text(v, where), out.bytes)) refuse_response(where, "is not base64");
}

template <class Sequence, class Read>
void read_sequence(const json::value& v, const path& where, Sequence& out, Read read) {
    const json::array& elements = as_array(v, where);
    out.resize(elements.size());
    for (std::size_t i = 0; i < elements.size(); ++i)
        read(elements[i], path(where, i), out[i]);
}

template <class Scalar>
void read_as(const json::value& v, const path& where, attribute_value& out) {
    read_scalar(v, where, out.value().template emplace<Scalar>());
}

template <class Set>
void read_as_set(const json::value& v, const path& where, attribute_value& out) {
    read_sequence(v, where, out.value().template emplace<Set>().values,
                  [](const auto& each, const path& at, auto& to) { read_scalar(each, at, to); });
}

void read_tagged(std::string_view tag, const json::value& v, const path& where,
                 attribute_value& out) {
    if (tag == "S") return read_as<std::string>(v, where, out);
    if (tag == "N") return read_as<number>(v, where, out);
    if (tag == "B") return read_as<binary>(v, where, out);
    if (tag == "SS") return read_as_set<string_set>(v, where, out);
    if (tag == "NS") return read_as_set<number_set>(v, where, out);
    if (tag == "BS") return read_as_set<binary_set>(v, where, out);
    if (tag == "BOOL") {
        out.value().emplace<bool>(as_boolean(v, where));
    } else if (tag == "NULL") {
        static_cast<void>(as_boolean(v, where));
        out.value().emplace<null>();
    } else if (tag == "L") {
        read_sequence(v, where, out.value().emplace<list>(), read_value);
    } else if (tag == "M") {
        read_item(v, where, out.value().emplace<map>());
    } else {
        refuse_response(where, "is of the unknown type " + quote(tag));
    }
}

/// Some emulators write all ten members, nine of them null.
void read_value(const json::value& v, const path& where, attribute_value& out) {
    const json::key_value_pair* found = nullptr;
    for (const json::key_value_pair& member : as_object(v, where)) {
        if (member.value().is_null()) continue;
        if (found != nullptr) refuse_response(where, "has more than one type");
        found = &member;
    }
    if (found == nullptr) refuse_response(where, "has no type");
    read_tagged(found->key(), found->value(), where, out);
}

} // namespace

void read_item(const json::value& v, const path& where, item& out) {
    out.clear();
    for (const json::key_value_pair& member : as_object(v, where)) {
        const auto to = out.try_emplace(out.end(), std::string(member.key()));
        read_value(member.value(), path(where, member.key()), to->second);
    }
}

} // namespace codynamo::dynamodb
