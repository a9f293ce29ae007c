#include "settings/hardening.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace rota {
namespace {

TEST(StandardDescriptors, ThatAreClosedAreOpened) {
  const auto try_it = [] {
    ::close(STDIN_FILENO);
    ::close(STDERR_FILENO);
    struct stat null{}, in{}, error{};
    const bool good = open_standard_descriptors() && ::stat("/dev/null", &null) == 0 &&
                      ::fstat(STDIN_FILENO, &in) == 0 && ::fstat(STDERR_FILENO, &error) == 0 &&
                      in.st_rdev == null.st_rdev && error.st_rdev == null.st_rdev;
    std::_Exit(good ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

volatile std::sig_atomic_t heard = 0;

TEST(ReloadSignal, ThatComesBeforeTheDaemonListensIsKept) {
  const auto try_it = [] {
    hold_reload_signal();
    ::raise(SIGHUP);  // would end the process
    std::signal(SIGHUP, [](int) { heard = heard + 1; });
    release_reload_signal();
    std::_Exit(heard == 1 ? 0 : 1);
  };
  EXPECT_EXIT(try_it(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace rota
