// SPDX-License-Identifier: BSL-1.0
// The order of the addresses, and when the next one is due.
#include "net/connect_schedule.hpp"

namespace codynamo::net {

std::vector<std::size_t> take_turns(const std::vector<bool>& is_v6) {
    std::vector<std::size_t> family[2];
    for (std::size_t i = 0; i < is_v6.size(); ++i)
        family[is_v6[i] == is_v6.front() ? 0 : 1].push_back(i);
    std::vector<std::size_t> order;
    order.reserve(is_v6.size());
    for (std::size_t i = 0; order.size() < is_v6.size(); ++i)
        for (const auto& members : family)
            if (i < members.size()) order.push_back(members[i]);
    return order;
}

connect_schedule::step connect_schedule::next(time_point now) noexcept {
    if (started_ != addresses_ && now >= next_at_) {
        next_at_ = now + head_start_;
        ++running_;
        return {action::start, started_++};
    }
    if (running_ == 0) return {action::lost};
    return {action::wait, 0, started_ == addresses_ ? time_point::max() : next_at_};
}

void connect_schedule::failed() noexcept {
    --running_;
    next_at_ = time_point::min();
}

} // namespace codynamo::net
