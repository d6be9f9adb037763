// SPDX-License-Identifier: BSL-1.0
// Memory for JSON with secrets, overwritten when it is given back.
#include "aws/secret_memory.hpp"

#include <openssl/crypto.h>

#include <new>

namespace codynamo::aws::detail {

void* wiping_resource::do_allocate(std::size_t size, std::size_t alignment) {
    return ::operator new(size, std::align_val_t{alignment});
}

void wiping_resource::do_deallocate(void* block, std::size_t size, std::size_t alignment) {
    OPENSSL_cleanse(block, size);
    ::operator delete(block, std::align_val_t{alignment});
}

} // namespace codynamo::aws::detail
