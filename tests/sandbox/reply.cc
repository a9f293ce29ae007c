#include "sandbox/reply.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace rota::sandbox {

Reply json_reply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

Reply html_reply(int status, std::string_view title) {
  Reply reply;
  reply.status = status;
  reply.content_type = kHtmlType;
  reply.body = fmt::format(
      "<html>\r\n<head><title>{0}</title></head>\r\n"
      "<body><center><h1>{0}</h1></center><hr></body>\r\n</html>\r\n",
      title);
  return reply;
}

Reply no_content() {
  Reply reply;
  reply.status = 204;
  reply.content_type.clear();
  return reply;
}

Reply error_reply(int status, std::string_view message, std::string_view detail) {
  boost::json::object details;
  if (!detail.empty()) details["message"] = detail;
  boost::json::object body;
  body["success"] = false;
  body["message"] = message;
  body["error_details"] = std::move(details);
  return json_reply(status, boost::json::serialize(body));
}

}  // namespace rota::sandbox
