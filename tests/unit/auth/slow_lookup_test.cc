#include <gtest/gtest.h>
#include <netdb.h>

#include <atomic>

#include "tests/unit/auth/transport_fixture.h"

// Takes the place of the C library's for the whole process, libcurl included: a name server that
// does not answer. It fails once the test lets it go.
namespace {
std::atomic<bool> lookup_released = false;
std::atomic<int> lookups_begun = 0;
std::atomic<int> lookups_over = 0;
}  // namespace

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo** result) {
  ++lookups_begun;
  *result = nullptr;
  lookup_released.wait(false);
  ++lookups_over;
  lookups_over.notify_all();
  return EAI_AGAIN;
}

namespace rota {
namespace {

// libcurl waits for its lookup thread when a call ends, unless it is told not to: then one dead
// name server would stop the loop, and with it everything that the daemon serves.
TEST(SlowLookup, ATimeoutDoesNotWaitForTheLookup) {
  HeadlessAuthOptions options = options_for("https://app.example.com");
  options.connect_timeout = Duration{50};
  TransportLoop loop(options);
  const auto result = loop.send(refresh_request());  // hangs here if it waits
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().reason, TransientReason::kNotSent) << result.error().why;
  EXPECT_EQ(lookups_over, 0);

  // The same for a transport that is destroyed while it looks up.
  loop.start(refresh_request());
  loop.poll();
  loop.destroy_transport();
  loop.run_until(1);
  EXPECT_EQ(loop.results()[0].error().reason, TransientReason::kNotSent);
  EXPECT_EQ(lookups_over, 0);

  lookup_released = true;
  lookup_released.notify_all();
  for (int over = lookups_over; over < lookups_begun; over = lookups_over) lookups_over.wait(over);
}

}  // namespace
}  // namespace rota
