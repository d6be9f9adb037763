// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/route.hpp"

#include <codynamo/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace codynamo::dynamodb {
namespace {

/// The endpoint for those whose account is unknown. With `required` there is none, but the rules
/// that would refuse every account are heard now.
aws::endpoint standard_endpoint(aws::endpoint_parameters of) {
    if (of.mode == aws::account_id_endpoint_mode::required) {
        of.account_id = "000000000000";
        (void)aws::resolve_endpoint(of);
        of.account_id.clear();
    }
    of.mode = aws::account_id_endpoint_mode::disabled;
    aws::endpoint found = aws::resolve_endpoint(of);
    if (found.signing_region.empty()) {
        throw error(errc::invalid_argument,
                    "region is missing, and is needed for signing whatever the endpoint: set it in "
                    "the configuration, in AWS_REGION or in the profile");
    }
    return found;
}

std::shared_ptr<net::transport> transport_to(const client_config& config, const net::origin& to) {
    return net::make_transport(to, config.pool, config.tls, config.env, config.network);
}

route standard_route(const client_settings& settings) {
    const client_config& config = settings.config;
    aws::endpoint to = standard_endpoint(settings.where);
    auto by = config.transport ? config.transport : transport_to(config, to.server);
    return route(std::move(to), std::move(by), config.breaker);
}

void add_to(net::transport_stats& sum, const net::transport_stats& one) {
    sum.open += one.open;
    sum.idle += one.idle;
    sum.waiting += one.waiting;
    sum.opened += one.opened;
    sum.resumed += one.resumed;
    sum.reused += one.reused;
    sum.replayed += one.replayed;
}

} // namespace

route::route(aws::endpoint to, std::shared_ptr<net::transport> by,
             const circuit_breaker_config& breaking)
    : endpoint(std::move(to)), transport(std::move(by)),
      queue(dynamic_cast<net::queueing_transport*>(transport.get())),
      signer(endpoint.server.authority(), {endpoint.signing_region, endpoint.signing_service}),
      breaker(breaking, endpoint.url()) {}

route_table::route_table(const client_settings& settings)
    : settings_(settings), standard_(standard_route(settings)),
      only_standard_(settings.config.transport || !settings.where.endpoint.empty() ||
                     settings.where.mode == aws::account_id_endpoint_mode::disabled) {}

route& route_table::find(std::string_view account_id, std::string_view table_arn) {
    if (only_standard_) return standard_;
    const bool required = settings_.where.mode == aws::account_id_endpoint_mode::required;
    if (account_id.empty() && table_arn.empty() && !required) return standard_;
    if (route* const known = known_route(account_id, table_arn)) return *known;
    return resolve(account_id, table_arn);
}

route* route_table::known_route(std::string_view account_id,
                                std::string_view table_arn) const noexcept {
    const std::size_t count = known_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i) {
        const entry& each = entries_[i];
        if (each.account_id == account_id && each.table_arn == table_arn) return each.to;
    }
    return nullptr;
}

route& route_table::resolve(std::string_view account_id, std::string_view table_arn) {
    aws::endpoint_parameters of = settings_.where;
    of.account_id = account_id;
    of.resource_arn = table_arn;
    const aws::endpoint to = aws::resolve_endpoint(of);
    const std::lock_guard lock(mutex_);
    if (route* const known = known_route(account_id, table_arn)) return *known;
    if (closed_) throw error(errc::closed, "the client is closed");
    route& resolved = route_to(to);
    const std::size_t count = known_.load(std::memory_order_relaxed);
    if (count == most_known) return resolved;
    entries_[count] = {std::string(account_id), std::string(table_arn), &resolved};
    known_.store(count + 1, std::memory_order_release);
    return resolved;
}

route& route_table::route_to(const aws::endpoint& to) {
    // Regions without hosts for accounts, region "local".
    if (to.server == standard_.endpoint.server) return standard_;
    for (const auto& other : others_)
        if (to.server == other->endpoint.server) return *other;
    if (others_.size() == most_accounts) {
        if (settings_.where.mode != aws::account_id_endpoint_mode::required) return standard_;
        throw error(errc::invalid_argument,
                    "account_id_endpoint_mode is required, but this client has served tables of " +
                        std::to_string(most_accounts) + " accounts already");
    }
    others_.push_back(std::make_unique<route>(to, transport_to(settings_.config, to.server),
                                              settings_.config.breaker));
    return *others_.back();
}

bool route_table::crowded() const noexcept {
    const auto is_crowded = [](const route& one) { return one.queue && one.queue->crowded(); };
    if (is_crowded(standard_)) return true;
    const std::size_t count = known_.load(std::memory_order_acquire);
    return std::any_of(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](const entry& each) { return is_crowded(*each.to); });
}

net::transport_stats route_table::stats() const {
    const std::lock_guard lock(mutex_);
    net::transport_stats sum = standard_.transport->stats();
    for (const auto& other : others_)
        add_to(sum, other->transport->stats());
    return sum;
}

std::vector<std::shared_ptr<net::transport>> route_table::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    std::vector<std::shared_ptr<net::transport>> all{standard_.transport};
    for (const auto& other : others_)
        all.push_back(other->transport);
    return all;
}

} // namespace codynamo::dynamodb
