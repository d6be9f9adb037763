// SPDX-License-Identifier: BSL-1.0
// Secrets have no printer: the usual ways to turn a value into text do not compile for them.
#include "aws/secret_memory.hpp"
#include "aws/sso_token.hpp"
#include "support/catch.hpp"
#include "support/secrets.hpp"

#include <codynamo/aws/credential_sources.hpp>
#include <codynamo/aws/credentials.hpp>
#include <codynamo/aws/sigv4.hpp>
#include <codynamo/net/transport.hpp>

#include <boost/describe/members.hpp>
#include <boost/json/value_from.hpp>

#include <concepts>
#include <ostream>
#include <string>
#include <string_view>

using namespace codynamo;

namespace {

template <class T>
concept streamed = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept to_json = boost::json::has_value_from<T>::value;
template <class T>
concept has_to_string = requires(const T& value) { to_string(value); };
template <class T>
concept becomes_text = std::convertible_to<const T&, std::string_view> ||
                       std::constructible_from<std::string, const T&>;
// What Boost.JSON and json_serializer print without asking.
template <class T>
concept described = boost::describe::has_describe_members<T>::value;
template <class T>
concept printable =
    streamed<T> || to_json<T> || has_to_string<T> || becomes_text<T> || described<T>;

// The concepts see printers where there are some.
static_assert(streamed<int> && to_json<int> && becomes_text<std::string>);
static_assert(printable<std::string> && printable<std::string_view>);

static_assert(!printable<aws::credentials>);
static_assert(!printable<aws::credentials_provider>);
static_assert(!printable<aws::json_request_signer>);
static_assert(!printable<aws::source_options>);
static_assert(!printable<net::proxy_config>);
static_assert(!printable<aws::detail::secret_string>);
static_assert(!printable<aws::detail::sso_token>);

} // namespace

TEST_CASE("what a debugger's helper would print of credentials is not their secrets") {
    const aws::credentials who("AKIDEXAMPLE", std::string(testing_support::secrets::key),
                               std::string(testing_support::secrets::token));
    // Catch prints what it cannot print as "{?}".
    CHECK(Catch::Detail::stringify(who) == "{?}");
    // A pointer prints its address.
    const auto shared = std::make_shared<const aws::credentials>(who);
    CHECK(Catch::Detail::stringify(shared).find("SeCrEt") == std::string::npos);
}
