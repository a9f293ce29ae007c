#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/unit/auth/http2_server.h"

namespace rota {
namespace {

namespace fs = std::filesystem;

// A server, and the file of the certificates that are trusted.
class TransportCaFile : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(stranger_.made()); }

  HeadlessAuthOptions options() const {
    HeadlessAuthOptions options = server_.options();
    options.ca_file = path_;
    return options;
  }
  // As a tool that renews certificates does it.
  void replace(const std::string& with) const {
    fs::copy(with, path_ + ".new", fs::copy_options::overwrite_existing);
    fs::rename(path_ + ".new", path_);
  }
  void trust(const Certificate& certificate) const { replace(certificate.certificate()); }

  Http2Server server_{{}};
  const Certificate stranger_{"IP:127.0.0.1"};
  const std::string path_ = stranger_.folder() + "/ca.pem";
};

TEST_F(TransportCaFile, AReplacedOneCountsFromTheReloadOn) {
  trust(stranger_);
  TransportLoop loop(options());
  expect_failure(loop.send(refresh_request()), TransientReason::kNotSent);
  trust(server_.certificate());
  ASSERT_TRUE(loop.transport().read_ca_file_again().has_value());
  expect_answer(loop.send(refresh_request()), "1");
  // And the other way round: no connection that stands is used on.
  trust(stranger_);
  ASSERT_TRUE(loop.transport().read_ca_file_again().has_value());
  expect_failure(loop.send(refresh_request()), TransientReason::kNotSent);
}

TEST_F(TransportCaFile, AReplacedOneIsFoundByTheCallsThemselves) {
  trust(stranger_);
  TransportLoop loop(options());
  expect_failure(loop.send(refresh_request()), TransientReason::kNotSent);
  trust(server_.certificate());
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  bool trusted = false;
  while (!trusted && std::chrono::steady_clock::now() < end) {
    trusted = loop.send(refresh_request()).has_value();
  }
  EXPECT_TRUE(trusted);
}

// rotad refuses a file that others can write to; the check runs before each reading.
TEST_F(TransportCaFile, OneThatItsUserRefusesChangesNothing) {
  trust(server_.certificate());
  bool refused = true;
  HeadlessAuthOptions options = this->options();
  options.check_ca_file = [&](const std::string& path) -> Result<void> {
    if (refused) return fail(ErrorKind::kConfig, path + ": refused");
    return {};
  };
  boost::asio::io_context context;
  const auto none = HttpTransport::create(context.get_executor(), options);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().message, path_ + ": refused");
  refused = false;
  TransportLoop loop(options);
  expect_answer(loop.send(refresh_request()), "1");
  refused = true;
  trust(stranger_);
  EXPECT_FALSE(loop.transport().read_ca_file_again().has_value());
  expect_answer(loop.send(refresh_request()), "2");
}

TEST_F(TransportCaFile, OneThatBrokeChangesNothing) {
  trust(server_.certificate());
  TransportLoop loop(options());
  expect_answer(loop.send(refresh_request()), "1");
  for (const char* text : {"", "no certificate"}) {
    std::ofstream(path_) << text;
    EXPECT_FALSE(loop.transport().read_ca_file_again().has_value());
  }
  fs::remove(path_);
  const auto missing = loop.transport().read_ca_file_again();
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, testing::HasSubstr("ca.pem: No such file"));
  expect_answer(loop.send(refresh_request()), "2");
}

}  // namespace
}  // namespace rota
