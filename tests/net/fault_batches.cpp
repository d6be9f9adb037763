// SPDX-License-Identifier: BSL-1.0
#include "fault_batches.hpp"

#include "dynamodb/base64.hpp"
#include "support/tap.hpp"

#include <codynamo/aws/credentials.hpp>

#include <algorithm>
#include <optional>

namespace codynamo::test {

namespace json = boost::json;
using namespace std::chrono_literals;

std::string value_of(const std::string& key) {
    return "value of " + key;
}

json::object key_object(const std::string& key) {
    return {{"key", json::object{{"S", key}}}};
}

json::object item_object(const std::string& key) {
    std::string encoded;
    dynamodb::append_base64(encoded, value_of(key));
    json::object item = key_object(key);
    item["value"] = json::object{{"B", encoded}};
    item["expire"] = json::object{{"N", "0"}};
    item["update_ts"] = json::object{{"N", "1700000000"}};
    return item;
}

std::string name_in(const json::value& item) {
    return std::string(item.at("key").at("S").as_string());
}

json::object body_of(const std::string& request) {
    return json::parse(request.substr(request.find("\r\n\r\n") + 4)).as_object();
}

dynamodb_backend_config config_for(const testing::scripted_server& server) {
    dynamodb_backend_config config;
    config.table_name = "cache";
    config.region = "us-east-1";
    config.endpoint = "http://127.0.0.1:" + std::to_string(server.port());
    config.credentials = aws::static_credentials({"AKIDEXAMPLE", "secret"});
    config.call_timeout = batch_timeout;
    config.attempt_timeout = batch_timeout;
    config.retry.base = 1ms;
    config.create = false;
    config.env = testing_support::tapped();
    config.env.variable = [](const char*) { return std::nullopt; };
    return config;
}

names first(const names& all, std::size_t count) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()))};
}
names behind(const names& all, std::size_t count) {
    return {all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size())), all.end()};
}
names reversed(names all) {
    std::reverse(all.begin(), all.end());
    return all;
}

} // namespace codynamo::test
