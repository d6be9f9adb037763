# SPDX-License-Identifier: BSL-1.0
# Runs PROGRAM on the local server of CODYNAMO_TEST_ENDPOINT, which takes any credentials.
if(NOT DEFINED ENV{CODYNAMO_TEST_ENDPOINT})
    message("skipped: CODYNAMO_TEST_ENDPOINT is not set")
    return()
endif()
execute_process(COMMAND ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/../tests/support/server_identity.py
                        $ENV{CODYNAMO_TEST_ENDPOINT} COMMAND_ERROR_IS_FATAL ANY)
set(ENV{AWS_ENDPOINT_URL_DYNAMODB} $ENV{CODYNAMO_TEST_ENDPOINT})
set(ENV{AWS_ACCESS_KEY_ID} local)
set(ENV{AWS_SECRET_ACCESS_KEY} local)
set(ENV{AWS_REGION} us-east-1)
execute_process(COMMAND ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
