// SPDX-License-Identifier: BSL-1.0
// A service in each execution context that tells its guests when it is time to go.
#include "aws/context_guest.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace codynamo::aws::detail {
namespace {

/// Made later than the context's scheduler, and therefore shut down earlier.
class guest_service : public asio::execution_context::service {
public:
    using key_type = guest_service;
    static inline asio::execution_context::id id;

    explicit guest_service(asio::execution_context& context)
        : asio::execution_context::service(context) {}

    void add(const std::shared_ptr<context_guest>& guest) {
        const std::lock_guard lock(mutex_);
        if (guests_.size() >= sweep_at_) {
            std::erase_if(guests_, [](const auto& each) { return each.expired(); });
            sweep_at_ = std::max<std::size_t>(16, 2 * guests_.size());
        }
        guests_.push_back(guest);
    }

private:
    void shutdown() override {
        std::vector<std::weak_ptr<context_guest>> leaving;
        {
            const std::lock_guard lock(mutex_);
            leaving.swap(guests_);
        }
        for (const auto& weak : leaving)
            if (const auto guest = weak.lock()) guest->context_gone();
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<context_guest>> guests_;
    std::size_t sweep_at_ = 16;
};

} // namespace

void register_guest(const asio::any_io_executor& executor,
                    const std::shared_ptr<context_guest>& guest) {
    asio::execution_context& context = asio::query(executor, asio::execution::context);
    // Services are shut down in reverse order: making a strand first has the guests told first.
    if (!asio::has_service<guest_service>(context)) (void)asio::make_strand(executor);
    asio::use_service<guest_service>(context).add(guest);
}

} // namespace codynamo::aws::detail
