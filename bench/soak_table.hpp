// SPDX-License-Identifier: BSL-1.0
// What the soak and its verification share: the way to the table, and its item requests.
#pragma once

#include "soak.hpp"
#include "soak_value.hpp"

#include <codynamo/dynamodb/operations.hpp>
#include <codynamo/dynamodb_backend.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/// Creates the table when it is missing and waits until it is usable. Throws codynamo::error,
/// schema_mismatch when its key is not one attribute "key" of type S. Takes its time: the options'
/// time-outs are for the soak.
[[nodiscard]] boost::asio::awaitable<void> ensure_soak_table(const soak_options& options);

/// Sends nothing.
[[nodiscard]] boost::asio::awaitable<codynamo::dynamodb_backend>
open_soak_table(const soak_options& options, std::size_t connections);

/// Strongly consistent.
[[nodiscard]] codynamo::dynamodb::get_item_input soak_get(const std::string& table,
                                                          std::string key);
/// Only over something older, so that an attempt that was taken for lost and arrives late changes
/// nothing.
[[nodiscard]] codynamo::dynamodb::put_item_input soak_put(const std::string& table,
                                                          codynamo::dynamodb::item item);

/// Runs to the end on one thread; rethrows what it throws. False when it was given up because of an
/// interruption, which happens only while `may_stop` says true.
[[nodiscard]] bool run_to_end(boost::asio::awaitable<void> work,
                              const std::function<bool()>& may_stop);

/// The figures as lines for people, members of objects as "name member", and where `json` says;
/// with JSON on stdout the lines go to stderr.
void print_figures(const std::string& title, const boost::json::object& figures,
                   const support::json_output& json);

} // namespace bench
