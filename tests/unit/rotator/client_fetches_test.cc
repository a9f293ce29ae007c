#include "rotator/client_fetches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rota {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

TEST(ClientFetches, CountsEachConfiguredClient) {
  ClientFetches fetches;
  fetches.keep({"web", "blog"});
  EXPECT_THAT(fetches.rows(), ElementsAre(Pair("blog", 0), Pair("web", 0)));
  fetches.count("web");
  fetches.count("web");
  fetches.count("gone");
  EXPECT_THAT(fetches.rows(), ElementsAre(Pair("blog", 0), Pair("web", 2)));
  EXPECT_EQ(fetches.of_others(), 1U);
}

TEST(ClientFetches, AReloadKeepsTheCountsOfThoseThatStay) {
  ClientFetches fetches;
  fetches.keep({"web", "blog"});
  fetches.count("web");
  fetches.keep({"shop", "web"});
  EXPECT_THAT(fetches.rows(), ElementsAre(Pair("shop", 0), Pair("web", 1)));
}

TEST(ClientFetches, HasNoMoreRowsThanItsBound) {
  ClientFetches fetches;
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= ClientFetches::kRowsMax; ++i) names.push_back(std::to_string(i));
  fetches.keep(names);
  EXPECT_THAT(fetches.rows(), SizeIs(ClientFetches::kRowsMax));
  fetches.count(names.back());
  EXPECT_EQ(fetches.of_others(), 1U);
  fetches.keep(names);
  EXPECT_THAT(fetches.rows(), SizeIs(ClientFetches::kRowsMax));
}

// Or there would be two samples of one name.
TEST(ClientFetches, AClientCalledOtherIsOneOfTheOthers) {
  ClientFetches fetches;
  fetches.keep({"other"});
  fetches.count("other");
  EXPECT_THAT(fetches.rows(), SizeIs(0));
  EXPECT_EQ(fetches.of_others(), 1U);
}

}  // namespace
}  // namespace rota
