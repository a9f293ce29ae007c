#include "daemon/descriptors.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

namespace rota {
namespace {

using testing::HasSubstr;

constexpr std::size_t kCalls = 16;

TEST(Descriptors, P11AsManyClientsAsConfiguredWhereTheyFit) {
  const auto share = share_descriptors(8'192, ServeSettings{}, kCalls);
  ASSERT_TRUE(share);
  EXPECT_EQ(share->token_clients, ServeSettings{}.max_connections);
}

TEST(Descriptors, P11TheOthersHaveTheirsWhateverTheClientsTake) {
  ServeSettings serve;
  serve.metrics_listen = ListenAddress{};
  for (const std::size_t limit : {300UL, 1'024UL, 4'096UL}) {
    serve.max_connections = 100'000;
    const auto share = share_descriptors(limit, serve, kCalls);
    ASSERT_TRUE(share);
    EXPECT_LE(share->token_clients + kAdminConnectionsMax + kMetricsConnectionsMax + kCalls + 90,
              limit);
    EXPECT_LT(share->clients_end, share->admin_end);
    EXPECT_LT(share->admin_end, static_cast<int>(limit));
  }
}

TEST(Descriptors, FiveHundredClientsFitIntoTheUsualLimit) {
  ServeSettings serve;
  serve.metrics_listen = ListenAddress{};
  const auto share = share_descriptors(1'024, serve, kCalls);
  ASSERT_TRUE(share);
  EXPECT_GE(share->token_clients, 500U);
}

TEST(Descriptors, TooFewAreAnErrorOfTheConfiguration) {
  const auto share = share_descriptors(150, ServeSettings{}, kCalls);
  ASSERT_FALSE(share);
  EXPECT_EQ(share.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(share.error().message, HasSubstr("150 open files"));
  EXPECT_THAT(share.error().message, HasSubstr("max_connections = 1024"));
  EXPECT_TRUE(share_descriptors(200, ServeSettings{}, kCalls));
}

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{.rlim_cur = 100, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace rota
