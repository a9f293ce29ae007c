#include "daemon/system_clock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace rota {
namespace {

TEST(ThisBoot, IsOneAndTheSameHoweverItIsTold) {
  ASSERT_EQ(::unsetenv("ROTA_BOOT_ID"), 0);
  const BootId by_kernel = this_boot();
  EXPECT_EQ(this_boot(), by_kernel);
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string text;
  ASSERT_TRUE(std::getline(file, text));
  std::erase(text, '-');  // as systemd's %b
  ASSERT_EQ(::setenv("ROTA_BOOT_ID", text.c_str(), 1), 0);
  EXPECT_EQ(this_boot(), by_kernel);
  ASSERT_EQ(::setenv("ROTA_BOOT_ID", "0123456789abcdef0123456789abcdef", 1), 0);
  EXPECT_NE(this_boot(), by_kernel);
  ASSERT_EQ(::unsetenv("ROTA_BOOT_ID"), 0);
}

}  // namespace
}  // namespace rota
