// SPDX-License-Identifier: BSL-1.0
// An executor of an io_context that fails when it is told to.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <atomic>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace codynamo::testing_support {

struct moods {
    /// So many times it may still be asked for its context; then once it has no memory for that.
    std::atomic<int> patience = 1'000'000;
    /// What it is to run it destroys at once, in the thread that hands it over.
    std::atomic<bool> drops = false;
};

template <class Inner = boost::asio::io_context::executor_type>
class moody_executor {
public:
    moody_executor(Inner inner, std::shared_ptr<moods> mood)
        : inner_(std::move(inner)), mood_(std::move(mood)) {}

    [[nodiscard]] boost::asio::execution_context&
    query(boost::asio::execution::context_t property) const {
        if (mood_->patience-- == 0) throw std::bad_alloc();
        return boost::asio::query(inner_, property);
    }
    template <class Property>
    [[nodiscard]] auto require(Property property) const
        requires(boost::asio::can_require_v<Inner, Property>)
    {
        auto changed = boost::asio::require(inner_, property);
        return moody_executor<decltype(changed)>(std::move(changed), mood_);
    }
    template <class Function>
    void execute(Function function) const {
        if (!mood_->drops) inner_.execute(std::move(function));
    }
    friend bool operator==(const moody_executor& a, const moody_executor& b) noexcept {
        return a.inner_ == b.inner_;
    }
    friend bool operator!=(const moody_executor& a, const moody_executor& b) noexcept {
        return !(a == b);
    }

private:
    Inner inner_;
    std::shared_ptr<moods> mood_;
};

} // namespace codynamo::testing_support
