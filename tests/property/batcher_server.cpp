// SPDX-License-Identifier: BSL-1.0
#include "property/batcher_server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace codynamo::property {

namespace json = boost::json;
using testing::fake_request;
using testing::fake_response;

namespace {

std::string key_in(const json::object& item) {
    return std::string(item.at("key").at("S").as_string());
}

/// The writes of a BatchWriteItem, or the keys of a BatchGetItem.
json::array& elements_of(json::object& body, bool reads) {
    json::value& table = body.at("RequestItems").at("cache");
    return reads ? table.at("Keys").as_array() : table.as_array();
}

/// What a put or delete writes, be it of a batch or alone.
const json::object& item_of(const json::object& write) {
    if (const json::value* const put = write.if_contains("PutRequest"))
        return put->at("Item").as_object();
    if (const json::value* const remove = write.if_contains("DeleteRequest"))
        return remove->at("Key").as_object();
    const json::value* const item = write.if_contains("Item");
    return (item ? *item : write.at("Key")).as_object();
}

void add_target(table_request& to, const json::object& item) {
    to.keys.push_back(key_in(item));
    const json::value* const value = item.if_contains("value");
    if (value) to.value_bytes += value->at("B").as_string().size() / 4 * 3;
    const json::value* const written = item.if_contains("update_ts");
    to.written.emplace_back(written ? std::string(written->at("N").as_string()) : std::string());
}

fake_response refusal(unsigned status, std::string_view code) {
    fake_response response;
    response.status = status;
    response.body = json::serialize(json::object{{"__type", "x#" + std::string(code)}, //
                                                 {"message", "refused"}});
    return response;
}

/// Takes the elements out of a batch that `choice` says are left unprocessed.
json::array take_unprocessed(json::object& body, bool reads, unsigned choice) {
    json::array& all = elements_of(body, reads);
    json::array kept;
    json::array left;
    for (std::size_t i = 0; i != all.size(); ++i)
        (((choice >> (i % 5)) & 1U) != 0 ? left : kept).push_back(all[i]);
    all = std::move(kept);
    return left;
}

fake_response foreign_answer(const fake_request& request) {
    fake_response response;
    if (request.operation() == "BatchGetItem")
        response.body = R"({"Responses":{"cache":[{"key":{"S":"foreign"},"value":{"B":"AAAA"}}]}})";
    else if (request.operation() == "BatchWriteItem")
        response.body = R"({"UnprocessedItems":{"cache":[{"DeleteRequest":)"
                        R"({"Key":{"key":{"S":"foreign"}}}}]}})";
    else
        response.body = "{";
    return response;
}

} // namespace

bool table_request::has(std::string_view key) const noexcept {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

table_request parse_request(const fake_request& request) {
    json::object body = json::parse(request.body).as_object();
    const std::string_view operation = request.operation();
    table_request parsed;
    parsed.is_batch = operation.starts_with("Batch");
    if (parsed.is_batch) {
        const bool reads = operation == "BatchGetItem";
        parsed.source = reads ? request_source::load : request_source::store_or_discard;
        for (const json::value& each : elements_of(body, reads))
            add_target(parsed, reads ? each.as_object() : item_of(each.as_object()));
        return parsed;
    }
    add_target(parsed, item_of(body));
    if (operation == "GetItem")
        parsed.source =
            body.contains("ProjectionExpression") ? request_source::touch : request_source::load;
    else if (operation == "UpdateItem")
        parsed.source = request_source::touch;
    else
        parsed.source = body.contains("ConditionExpression") ? request_source::erase
                                                             : request_source::store_or_discard;
    return parsed;
}

errc errc_of(answer_kind kind) noexcept {
    switch (kind) {
    case answer_kind::internal_error:
        return errc::service_failed;
    case answer_kind::throttled:
        return errc::throttled;
    case answer_kind::invalid:
        return errc::validation_failed;
    case answer_kind::denied:
        return errc::access_denied;
    case answer_kind::missing_table:
        return errc::resource_not_found;
    case answer_kind::reset:
        return errc::connection_lost;
    case answer_kind::some_unprocessed:
        return errc::unprocessed;
    case answer_kind::whole:
    case answer_kind::foreign_key:
    case answer_kind::not_json:
        break;
    }
    return errc::bad_response;
}

batcher_server::batcher_server(testing::virtual_world& world)
    : service_(world, {}), table_(service_.tables().create("cache", "key")) {}

fake_response batcher_server::execute(const fake_request& request) {
    fake_response response;
    try {
        response.body =
            json::serialize(service_.execute(request.operation(), request.body, {}, false));
    } catch (const testing::detail::service_error& failure) {
        response = refusal(failure.status, failure.code);
        if (!failure.item) return response;
        json::object body = json::parse(response.body).as_object();
        body["Item"] = *failure.item;
        response.body = json::serialize(body);
    }
    return response;
}

void batcher_server::apply(const fake_request& request) {
    static_cast<void>(execute(request));
}

fake_response batcher_server::answer(const fake_request& request, answer_kind kind, unsigned choice,
                                     std::vector<std::string>& unprocessed) {
    using enum answer_kind;
    switch (kind) {
    case internal_error:
        return refusal(500, "InternalServerError");
    case throttled:
        return refusal(400, "ProvisionedThroughputExceededException");
    case invalid:
        return refusal(400, "ValidationException");
    case denied:
        return refusal(400, "AccessDeniedException");
    case missing_table:
        return refusal(400, "ResourceNotFoundException");
    case foreign_key:
    case not_json:
    case reset:
        if (choice % 2 == 0) apply(request);
        if (kind == foreign_key) return foreign_answer(request);
        if (kind == reset)
            return fake_response::network_error(make_error_code(errc::connection_lost), true);
        return {.body = "{"};
    case whole:
    case some_unprocessed:
        break;
    }
    const bool reads = request.operation() == "BatchGetItem";
    if (kind == whole || (!reads && request.operation() != "BatchWriteItem"))
        return execute(request);
    json::object body = json::parse(request.body).as_object();
    json::object rest = body;
    elements_of(rest, reads) = take_unprocessed(body, reads, choice);
    for (const json::value& each : elements_of(rest, reads))
        unprocessed.push_back(key_in(reads ? each.as_object() : item_of(each.as_object())));
    fake_request processed = request;
    processed.body = json::serialize(body);
    fake_response response = execute(processed);
    json::object reply = json::parse(response.body).as_object();
    if (!unprocessed.empty())
        reply[reads ? "UnprocessedKeys" : "UnprocessedItems"] = rest.at("RequestItems");
    response.body = json::serialize(reply);
    return response;
}

const std::vector<batcher_server::version>&
batcher_server::versions_of(const std::string& key) const {
    static const std::vector<version> none;
    const auto versions = table_.items.find("S" + key);
    return versions == table_.items.end() ? none : versions->second;
}

} // namespace codynamo::property
