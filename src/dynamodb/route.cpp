// SPDX-License-Identifier: BSL-1.0
#include "dynamodb/route.hpp"

#include "aws/endpoint_rules.hpp"

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
    std::string_view account = table_arn.empty()
                                   ? std::string_view()
                                   : aws::detail::account_of_arn(table_arn, settings_.where.region);
    if (account.empty()) account = account_id;
    const bool required = settings_.where.mode == aws::account_id_endpoint_mode::required;
    if (account.empty() && !required) return standard_;
    if (route* const found = known(account)) return *found;
    return add(account);
}

route* route_table::known(std::string_view account) const noexcept {
    const std::size_t count = known_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i)
        if (entries_[i].account == account) return entries_[i].to;
    return nullptr;
}

route& route_table::add(std::string_view account) {
    aws::endpoint_parameters of = settings_.where;
    of.account_id = account;
    const aws::endpoint to = aws::resolve_endpoint(of);
    const std::lock_guard lock(mutex_);
    if (route* const found = known(account)) return *found;
    const std::size_t count = known_.load(std::memory_order_relaxed);
    if (closed_) throw error(errc::closed, "the client is closed");
    if (count == most_accounts) {
        if (of.mode != aws::account_id_endpoint_mode::required) return standard_;
        throw error(errc::invalid_argument,
                    "account_id_endpoint_mode is required, but this client has served tables of " +
                        std::to_string(most_accounts) + " accounts already");
    }
    route& made = make(to);
    entries_[count] = {std::string(account), &made};
    known_.store(count + 1, std::memory_order_release);
    return made;
}

route& route_table::make(const aws::endpoint& to) {
    // Partitions without hosts for accounts, region "local".
    if (to.server == standard_.endpoint.server) return standard_;
    others_.push_back(std::make_unique<route>(to, transport_to(settings_.config, to.server),
                                              settings_.config.breaker));
    return *others_.back();
}

bool route_table::crowded() const noexcept {
    const auto is_crowded = [](const route& one) { return one.queue && one.queue->crowded(); };
    if (is_crowded(standard_)) return true;
    const std::size_t count = known_.load(std::memory_order_acquire);
    return std::any_of(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count),
                       [&](const entry& one) { return is_crowded(*one.to); });
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
