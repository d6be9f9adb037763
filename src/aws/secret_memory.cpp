// SPDX-License-Identifier: BSL-1.0
// Memory for JSON with secrets, overwritten when it is given back.
#include "aws/secret_memory.hpp"

#include <openssl/crypto.h>

#include <new>

namespace codynamo::aws::detail {

void* wiping_resource::do_allocate(std::size_t size, std::size_t alignment) {
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) return ::operator new(size);
    return ::operator new(size, std::align_val_t{alignment});
}

void wiping_resource::do_deallocate(void* block, std::size_t size, std::size_t alignment) {
    OPENSSL_cleanse(block, size);
    // Boost.JSON 1.81 gives some blocks back with another alignment than it asked for.
    if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__)
        ::operator delete(block);
    else
        ::operator delete(block, std::align_val_t{alignment});
}

} // namespace codynamo::aws::detail
