// SPDX-License-Identifier: BSL-1.0
// Nodes that live elsewhere, in the order of their deadlines.
#pragma once

#include <boost/intrusive/set.hpp>

namespace codynamo::net {

/// To be derived from by a node that has a member `deadline`.
using deadline_hook =
    boost::intrusive::set_base_hook<boost::intrusive::optimize_size<true>,
                                    boost::intrusive::link_mode<boost::intrusive::normal_link>>;

struct earlier_deadline {
    template <class Node>
    bool operator()(const Node& a, const Node& b) const noexcept {
        return a.deadline < b.deadline;
    }
};

/// A balanced tree without allocations. insert() is O(1) amortized for deadlines that come in
/// order, as they do where every call has the same timeout, and O(log n) for others; erase() is
/// O(1) amortized; the rest is O(1).
template <class Node, class Earlier = earlier_deadline>
class deadline_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return nodes_.empty(); }
    void insert(Node& node) noexcept { nodes_.insert(nodes_.cend(), node); }
    void erase(Node& node) noexcept { nodes_.erase(nodes_.iterator_to(node)); }
    /// Of a queue that is not empty.
    [[nodiscard]] Node& earliest() noexcept { return *nodes_.begin(); }
    [[nodiscard]] const Node& earliest() const noexcept { return *nodes_.begin(); }
    [[nodiscard]] const Node& latest() const noexcept { return *nodes_.rbegin(); }

private:
    boost::intrusive::multiset<Node, boost::intrusive::base_hook<deadline_hook>,
                               boost::intrusive::compare<Earlier>,
                               boost::intrusive::constant_time_size<false>>
        nodes_;
};

} // namespace codynamo::net
