#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "base/time.h"

// `rota audit` for a person: time, event, member, who, detail, in 80 columns or those that the
// terminal has. Longer texts are cut. What others wrote is made visible(). Pure, but for
// user_name().
namespace rota::cli {

// The name of a user of this machine; empty: it has none.
using UserName = std::function<std::string(std::uint32_t uid)>;
// Asks the name services of this machine. May block.
std::string user_name(std::uint32_t uid);

// "16:36:47" today, "03-20 16:36" on another day.
std::string audit_time(const std::string& iso, WallTime now);
// "web (812)": the user and its process; or the client of a listener; rotad itself has no user.
std::string who_did(const boost::json::object& entry, const UserName& name_of_user);

std::string audit_screen_head(std::size_t columns);
// One line. An entry of another day than `now` has its date.
std::string audit_screen_line(const boost::json::object& entry, std::size_t columns, WallTime now,
                              const UserName& name_of_user);

}  // namespace rota::cli
