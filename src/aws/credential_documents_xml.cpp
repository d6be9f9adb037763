// SPDX-License-Identifier: BSL-1.0
// The XML ones. The only file that includes Boost.PropertyTree.
#include "aws/credential_documents.hpp"
#include "aws/signing.hpp"
#include "aws/text.hpp"
#include "aws/wipe.hpp"

#include <boost/iostreams/device/array.hpp>
#include <boost/iostreams/stream.hpp>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include <algorithm>

namespace tree = boost::property_tree;

namespace codynamo::aws::detail {
namespace {

/// A sane answer is five levels deep, and the parser calls itself for each.
constexpr std::size_t max_elements = 500;

[[noreturn]] void refuse_answer(const std::string& why) {
    throw error(errc::no_credentials, "the answer" + why);
}

void wipe_all(tree::ptree& node) noexcept {
    wipe(node.data());
    for (auto& [name, child] : node)
        wipe_all(child);
}

class xml_document {
public:
    explicit xml_document(std::string_view text) {
        if (static_cast<std::size_t>(std::count(text.begin(), text.end(), '<')) > max_elements)
            refuse_answer(" has more elements than an answer of STS");
        try {
            boost::iostreams::stream<boost::iostreams::array_source> in(text.data(), text.size());
            tree::read_xml(in, top_, tree::xml_parser::trim_whitespace);
        } catch (const tree::xml_parser_error&) { // nothing has been read then
            refuse_answer(" is not XML");
        }
    }
    xml_document(const xml_document&) = delete;
    xml_document& operator=(const xml_document&) = delete;
    ~xml_document() { wipe_all(top_); }

    [[nodiscard]] const tree::ptree* find(const std::string& path) const {
        const auto found = top_.get_child_optional(path);
        return found ? &*found : nullptr;
    }

private:
    tree::ptree top_;
};

std::string text(const tree::ptree& in, const std::string& name) {
    const auto found = in.get_child_optional(name);
    if (!found) return {};
    const std::string& value = found->data();
    if (std::any_of(value.begin(), value.end(), is_control))
        refuse_answer(": " + name + " holds a control character");
    return value;
}

std::string required(const tree::ptree& in, const std::string& name) {
    std::string value = text(in, name);
    if (value.empty()) refuse_answer(": " + name + " is missing");
    return value;
}

/// Field five of arn:aws:sts::123456789012:assumed-role/role/session.
std::string account_of(std::string_view arn) {
    for (int field = 0; field != 4; ++field) {
        const auto colon = arn.find(':');
        if (colon == std::string_view::npos) return {};
        arn.remove_prefix(colon + 1);
    }
    const auto account = arn.substr(0, arn.find(':'));
    const bool digits = std::all_of(account.begin(), account.end(), is_digit);
    return digits ? std::string(account) : std::string();
}

} // namespace

credentials parse_sts_document(std::string_view xml) {
    const xml_document from(xml);
    for (const char* const path :
         {"AssumeRoleResponse.AssumeRoleResult",
          "AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult"}) {
        const auto* result = from.find(path);
        if (!result) continue;
        const auto found_in = result->get_child_optional("Credentials");
        if (!found_in) refuse_answer(": Credentials is missing");
        credentials found;
        found.access_key_id = required(*found_in, "AccessKeyId");
        found.secret_access_key = required(*found_in, "SecretAccessKey");
        found.session_token = required(*found_in, "SessionToken");
        found.account_id = account_of(text(*result, "AssumedRoleUser.Arn"));
        try {
            found.expires = parse_rfc3339(required(*found_in, "Expiration"));
            require_usable(found);
        } catch (const error& why) {
            refuse_answer(": " + why.info().message);
        }
        return found;
    }
    refuse_answer(" is not that of AssumeRole or AssumeRoleWithWebIdentity");
}

sts_refusal parse_sts_refusal(std::string_view xml) {
    try {
        const xml_document from(xml);
        if (const auto* refused = from.find("ErrorResponse.Error"))
            return {refused->get("Code", std::string()), refused->get("Message", std::string())};
    } catch (const error&) {
        // A proxy's page, perhaps; the status has to do.
    }
    return {};
}

} // namespace codynamo::aws::detail
