// SPDX-License-Identifier: BSL-1.0
// A network of no extent: every request is written, and answered at once from what was prepared.
#pragma once

#include <codynamo/net/transport.hpp>

#include <memory>
#include <string>

namespace bench {

/// Whatever is asked for, the answer is the record of `key`, and its value what a batch_server has
/// there. Nothing is shared between threads but what is never written.
[[nodiscard]] std::shared_ptr<codynamo::net::transport>
make_instant_transport(const std::string& key);

} // namespace bench
