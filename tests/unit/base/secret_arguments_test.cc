#include "base/secret_arguments.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

namespace rota {
namespace {

TEST(WithoutSecretArguments, P10HidesTheValueOfEachArgument) {
  const auto hidden = [](const std::string& message, std::vector<const char*> arguments) {
    return without_secret_arguments(message, arguments);
  };
  constexpr const char* kInstead = "(not repeated here, since it may be a secret)";
  EXPECT_EQ(hidden("unexpected: tQ9xY aB3xY9qT\nRun", {"tQ9xY", "aB3xY9qT"}),
            fmt::format("unexpected: {0} {0}\nRun", kInstead));
  EXPECT_EQ(hidden("no --x = aB3xY9qT", {"--x=aB3xY9qT"}), fmt::format("no --x = {}", kInstead));
  EXPECT_EQ(hidden("no aB3xY9qT, xaB3xY9qT", {"--aB3xY9qT"}),
            fmt::format("no {0}, x{0}", kInstead));
  EXPECT_EQ(hidden("no aB3xY9qT", {"-zaB3xY9qT"}), fmt::format("no {}", kInstead));
  EXPECT_EQ(hidden("no a secret aB3xY9qT there", {"a secret aB3xY9qT"}),
            fmt::format("no {} there", kInstead));
  EXPECT_EQ(hidden("unexpected: reload --chekc", {"reload", "--chekc", "-", "--", "=", ""}),
            "unexpected: reload --chekc");
}

}  // namespace
}  // namespace rota
