#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Fields of the daemon's JSON. A field that is missing, or of another type, is none: another
// version of the daemon may have written it. Pure.
namespace rota::cli {

std::optional<std::int64_t> number_at(const boost::json::object& object, std::string_view name);
// Empty: none.
std::string text_at(const boost::json::object& object, std::string_view name);
std::optional<bool> flag_at(const boost::json::object& object, std::string_view name);
// Null: none. It is the object's own.
const boost::json::object* object_at(const boost::json::object& object, std::string_view name);
const boost::json::array* array_at(const boost::json::object& object, std::string_view name);

}  // namespace rota::cli
