#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sandbox/names.h"

namespace rota::sandbox {

// The four calls of the OpenAPI description, and whatever else comes in.
enum class Endpoint : std::uint8_t { kIssue, kRefresh, kRevokeRefresh, kRevokeAccess, kOther };

inline constexpr std::array<Name<Endpoint>, 5> kEndpointNames{{
    {Endpoint::kIssue, "issue"},
    {Endpoint::kRefresh, "refresh"},
    {Endpoint::kRevokeRefresh, "revoke_refresh"},
    {Endpoint::kRevokeAccess, "revoke_access"},
    {Endpoint::kOther, "other"},
}};

}  // namespace rota::sandbox
