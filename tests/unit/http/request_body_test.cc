#include "http/request_body.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "http/limits.h"
#include "support/http_oddities.h"

namespace rota {
namespace {

RequestHead chunked_head() {
  RequestHead head;
  head.chunked = true;
  return head;
}
const RequestHead kChunked = chunked_head();

// The data of a whole body in chunks, and whether `more` is left behind it.
std::string data_of(const std::string& sent, std::string_view more = "GET / HTTP/1.1\r\n") {
  const std::string rest = sent + std::string(more);
  const auto result = find_body(kChunked, rest);
  const auto* found = std::get_if<FoundBody>(&result);
  if (found == nullptr) return "no body";
  EXPECT_EQ(found->sent_bytes, sent.size());
  return std::string(join_chunks(rest.substr(0, found->sent_bytes), found->bytes).reveal());
}

ErrorCode refusal_of(std::string_view rest) {
  const auto result = find_body(kChunked, rest);
  const auto* error = std::get_if<HeadError>(&result);
  EXPECT_NE(error, nullptr);
  if (error == nullptr) return ErrorCode::kInternal;
  EXPECT_FALSE(error->why.empty());
  return error->code;
}

TEST(RequestBody, HasTheLengthOfItsHead) {
  RequestHead head;
  head.body_bytes = 3;
  EXPECT_TRUE(std::holds_alternative<NeedMore>(find_body(head, "ab")));
  for (const char* rest : {"abc", "abcGET"}) {
    const auto result = find_body(head, rest);
    ASSERT_TRUE(std::holds_alternative<FoundBody>(result)) << rest;
    EXPECT_EQ(std::get<FoundBody>(result).sent_bytes, 3U);
    EXPECT_EQ(std::get<FoundBody>(result).bytes, 3U);
  }
  EXPECT_TRUE(std::holds_alternative<FoundBody>(find_body({}, "")));
}

TEST(RequestBody, JoinsChunks) {
  EXPECT_EQ(data_of("0\r\n\r\n"), "");
  EXPECT_EQ(data_of("3\r\nabc\r\n0\r\n\r\n"), "abc");
  EXPECT_EQ(data_of("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), "abcd");
  EXPECT_EQ(data_of("00A\r\n0123456789\r\n000\r\n\r\n"), "0123456789");
  EXPECT_EQ(data_of("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789");
  EXPECT_EQ(data_of("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), "\r\n0\r\n\r\n")
      << "what looks like an end";
}

TEST(RequestBody, IgnoresExtensionsAndTrailers) {
  EXPECT_EQ(data_of("3;a=b;c=\"d;e\"\r\nabc\r\n0;last\r\n\r\n"), "abc");
  EXPECT_EQ(data_of("3 \t;a = b\r\nabc\r\n0\r\nDigest: x\r\nContent-Length: 9\r\n\r\n"), "abc");
}

// However a body is cut into pieces, it is whole at its last byte and not before.
TEST(RequestBody, ComesInAnyPieces) {
  for (const std::string_view sent :
       {"3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\nA: b\r\n\r\n", "0\r\n\r\n"}) {
    for (std::size_t n = 0; n < sent.size(); ++n) {
      EXPECT_TRUE(std::holds_alternative<NeedMore>(find_body(kChunked, sent.substr(0, n)))) << n;
    }
  }
}

TEST(RequestBody, RefusesWhatIsNotInTheGrammarWhateverThePieces) {
  for (const std::string& rest : testing::chunk_oddities()) {
    SCOPED_TRACE(rest);
    EXPECT_EQ(refusal_of(rest), ErrorCode::kBadRequest);
    bool refused = false;
    for (std::size_t n = 0; n <= rest.size(); ++n) {
      const auto result = find_body(kChunked, {rest.data(), n});
      EXPECT_FALSE(std::holds_alternative<FoundBody>(result)) << n;
      const bool error = std::holds_alternative<HeadError>(result);
      EXPECT_TRUE(error || !refused) << "an error went away at " << n;
      refused = error;
    }
    EXPECT_TRUE(refused);
  }
}

TEST(RequestBody, AnErrorKnowsThatItAnswersAHead) {
  RequestHead head = kChunked;
  head.head_only = true;
  const auto result = find_body(head, "x\r\n");
  ASSERT_TRUE(std::holds_alternative<HeadError>(result));
  EXPECT_TRUE(std::get<HeadError>(result).head_only);
}

TEST(RequestBody, P11LimitsTheDataToTheByte) {
  const std::string half = "800\r\n" + std::string(2048, 'a') + "\r\n";
  EXPECT_EQ(data_of(half + half + "0\r\n\r\n").size(), kRequestBodyBytesMax);
  EXPECT_EQ(refusal_of(half + half + "1\r\n"), ErrorCode::kRequestTooLarge) << "before the data";
  for (const char* size : {"1001", "FFFFFFFF", "100000000", "7FFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFF",
                           "10000000000000000", "10000000000000003"}) {
    EXPECT_EQ(refusal_of(std::string(size) + "\r\n"), ErrorCode::kRequestTooLarge) << size;
  }
}

TEST(RequestBody, P11LimitsWhatIsNoDataToTheByte) {
  const std::string end = "\r\n\r\n";
  const auto ends = [&end](std::size_t bytes) {
    return std::string(bytes - end.size(), '0') + end;
  };
  EXPECT_EQ(data_of(ends(kChunkFramingBytesMax)), "");
  EXPECT_EQ(refusal_of(ends(kChunkFramingBytesMax + 1)), ErrorCode::kRequestTooLarge);
  // Whatever it is made of, and as soon as it is known.
  const std::string many(kChunkFramingBytesMax, 'x');
  EXPECT_EQ(refusal_of("3;" + many), ErrorCode::kRequestTooLarge);
  EXPECT_EQ(refusal_of("0\r\nA: " + many), ErrorCode::kRequestTooLarge);
  std::string trailers = "0\r\n";
  while (trailers.size() < kChunkFramingBytesMax) trailers += "A: b\r\n";
  EXPECT_EQ(refusal_of(trailers), ErrorCode::kRequestTooLarge);
  std::string chunks;
  while (chunks.size() < kChunkFramingBytesMax * 6 / 5 + 6) chunks += "1\r\nx\r\n";
  EXPECT_EQ(refusal_of(chunks), ErrorCode::kRequestTooLarge);
  EXPECT_TRUE(std::holds_alternative<NeedMore>(
      find_body(kChunked, std::string(kChunkFramingBytesMax - 1, '0'))));
}

}  // namespace
}  // namespace rota
