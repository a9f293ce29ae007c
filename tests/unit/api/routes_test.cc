#include "api/routes.h"

#include <gtest/gtest.h>

#include <string>

namespace rota {
namespace {

constexpr PathPattern kPlain("/v1/status");
constexpr PathPattern kKey("/v1/members/{key}");
constexpr PathPattern kAction("/v1/members/{key}/rotate");

// The key that the path has in the place of "{key}", or why there is none.
std::string key_of(const PathPattern& pattern, std::string_view path) {
  std::string_view key = "untouched";
  if (!pattern.matches(path, key)) return key == "untouched" ? "no match" : "no match, but a key";
  return std::string(key);
}

TEST(PathPattern, APlainPathIsItself) {
  EXPECT_EQ(key_of(kPlain, "/v1/status"), "untouched");
  for (const char* other : {"/v1/statu", "/v1/status/", "/v1/statuses", "/v1", ""}) {
    EXPECT_EQ(key_of(kPlain, other), "no match") << other;
  }
}

TEST(PathPattern, AKeyIsOnePartOfThePath) {
  EXPECT_EQ(key_of(kKey, "/v1/members/id:42"), "id:42");
  EXPECT_EQ(key_of(kKey, "/v1/members/sso:a%2Fb"), "sso:a%2Fb") << "as it was sent";
  EXPECT_EQ(key_of(kKey, "/v1/members/"), "");
  for (const char* other :
       {"/v1/members", "/v1/members/a/b", "/v1/members//", "/v1/member/id:42"}) {
    EXPECT_EQ(key_of(kKey, other), "no match") << other;
  }
}

TEST(PathPattern, WhatFollowsAKeyHasToBeThere) {
  EXPECT_EQ(key_of(kAction, "/v1/members/id:42/rotate"), "id:42");
  EXPECT_EQ(key_of(kAction, "/v1/members//rotate"), "");
  for (const char* other : {"/v1/members/id:42", "/v1/members/id:42/rotat", "/v1/members/rotate",
                            "/v1/members/id:42/rotate/", "/v1/members/a/b/rotate"}) {
    EXPECT_EQ(key_of(kAction, other), "no match") << other;
  }
}

}  // namespace
}  // namespace rota
