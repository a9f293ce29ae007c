#include "circle/base_url.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

struct Good {
  const char* text;
  const char* origin;
};

TEST(BaseUrl, AcceptsAnyHttpsHostAndHttpOnLoopback) {
  for (const auto& [text, origin] : {
           Good{"https://app.circle.so", "https://app.circle.so"},
           Good{"https://app.circle.so/", "https://app.circle.so"},
           Good{"https://app.circle.so:8443", "https://app.circle.so:8443"},
           Good{"https://10.0.0.1:1", "https://10.0.0.1:1"},
           Good{"https://[2001:db8::1]:65535/", "https://[2001:db8::1]:65535"},
           Good{"https://host//", "https://host"},
           Good{"https://proxy.example.com/circle/", "https://proxy.example.com/circle"},
           Good{"https://h:1/a:b/c]d", "https://h:1/a:b/c]d"},
           Good{"http://127.0.0.1/x", "http://127.0.0.1/x"},
           Good{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
           Good{"http://127.255.0.9", "http://127.255.0.9"},
           Good{"http://[::1]:8080", "http://[::1]:8080"},
           Good{"http://[::1]", "http://[::1]"},
           Good{"http://localhost:3000", "http://localhost:3000"},
       }) {
    const auto result = check_base_url(text);
    ASSERT_TRUE(result.has_value()) << text;
    EXPECT_EQ(*result, origin);
  }
}

TEST(BaseUrl, RefusesEverythingElse) {
  for (const char* text : {
           "",
           "app.circle.so",
           "ftp://app.circle.so",
           "HTTPS://app.circle.so",
           "https://",
           "https:///",
           "https://:443",
           "https://host:",
           "https://host:0",
           "https://host:65536",
           "https://host:8x",

           "https://host?x=1",
           "https://host/a b",
           "https://host/a?b",
           "https://host/\\x",
           "http://10.0.0.1/127.0.0.1",
           "https:///path",
           "https://host:x/1",
           "https://host#x",
           "https://host\\x",
           "https://user@host",
           "https://user:pw@host",
           "https://ho st",
           "https://host\n",
           "https://-host",
           "https://.host",
           "https://a..b",
           "https://h\xc3\xb6st",
           "https://[::1",
           "https://[]",
           "https://[::1]x",
           "https://::1",
           "https://[zz::1]",
           "http://app.circle.so",
           "http://10.0.0.1",
           "http://128.0.0.1",
           "http://127.1",
           "http://127.0.0.01",
           "http://127.0.0.1.example.com",
           "http://127.0.0.256",
           "http://0x7f.0.0.1",
           "http://127.0.0.1.",
           "http://2130706433",
           "http://localhost.",
           "http://localhost.example.com",
           "http://[::2]",
           "http://[::ffff:127.0.0.1]",
           "http://0.0.0.0",
       }) {
    const auto result = check_base_url(text);
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid) << text;
  }
}

TEST(BaseUrl, NeverRepeatsAPassword) {
  const auto result = check_base_url("https://user:hunter2@host");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message.find("hunter2"), std::string::npos);
  EXPECT_NE(result.error().message.find("user or password"), std::string::npos);
}

}  // namespace
}  // namespace rota
