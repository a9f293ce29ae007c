#include "circle/excerpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circle/classify.h"
#include "tests/unit/circle/replies.h"

namespace rota {
namespace {

TEST(SafeExcerpt, IsOneShortLineOfPlainWords) {
  EXPECT_EQ(safe_excerpt("Oops! Missing parameter."), "Oops! Missing parameter.");
  EXPECT_EQ(safe_excerpt("Your community isn't (yet) eligible: re-read the FAQ."),
            "Your community isn't (yet) eligible: re-read the FAQ.");
  EXPECT_EQ(safe_excerpt(""), "");
  for (const char* odd :
       {"a\nb", "tab\tbed", "caf\xc3\xa9", "abc123", "12345", "aB", "ada@b.example", "%73%65",
        "a_b", "ABCDEFGHIJKL", "\x1b[31m", "averyveryverylongword"}) {
    EXPECT_EQ(safe_excerpt(std::string("is ") + odd + " bad"), "is [...] bad") << odd;
  }
  EXPECT_EQ(safe_excerpt("1 2 3 4"), "[...]");
  std::string words;
  while (words.size() < 1000) words += "word ";
  EXPECT_EQ(safe_excerpt(words), words.substr(0, 200));
}

// P10: exactly what was sent, of any length and in any form in which it may come back.
TEST(SafeExcerpt, P10LeavesOutASecretInWhateverFormItComesBack) {
  for (const std::string secret : {"sesame", "open-sesame", "opensesameopensesame",
                                   "aaaaabbbbbcccccddddd", "correct-horse-battery-staple", "Zq"}) {
    const SentSecrets sent({make_secret("another-secret-of-this-call"), make_secret(secret)});
    std::string spaced;
    std::string upper;
    for (const char c : secret) {
      spaced += c;
      spaced += ' ';
      upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    std::vector<std::string> forms{secret, "Bearer " + secret, "<" + secret + ">"};
    if (secret.size() > 2) {
      forms.insert(forms.end(), {spaced, upper, std::string(secret.rbegin(), secret.rend())});
    }
    if (secret.size() >= 12) forms.push_back(secret.substr(0, secret.size() - 2) + "...");
    for (const std::string& form : forms) {
      EXPECT_EQ(safe_excerpt("The token " + form + " is bad.", sent),
                "words that repeat what was sent")
          << form;
    }
  }
  // The base64 of "token:" and this at each place within a group, in letters of one case only
  // where it can be: the words alone would not betray it.
  const SentSecrets sent({make_secret("sesame-opens-the-door")});
  EXPECT_TRUE(sent.repeated_in("c2VzYW1lLW9wZW5zLXRoZS1kb29y"));
  EXPECT_TRUE(sent.repeated_in("eHNlc2FtZS1vcGVucy10aGUtZG9vcg=="));
  EXPECT_TRUE(sent.repeated_in("eHhzZXNhbWUtb3BlbnMtdGhlLWRvb3I="));
  EXPECT_TRUE(sent.repeated_in("736573616d652d6f70656e732d7468652d646f6f72"));
  EXPECT_FALSE(sent.repeated_in("Oops! Missing parameter."));
}

TEST(SafeExcerpt, P10AnEchoedAppTokenIsInNoReasonOfAReply) {
  const std::string token = "abcdefghijklmnopqrst";  // twenty letters
  const SentSecrets sent({make_secret(token)});
  for (const int status : {400, 401, 404, 422, 500}) {
    for (const CallKind kind : {CallKind::kRefresh, CallKind::kRevokeAccess}) {
      const Outcome outcome =
          classify(kind,
                   replies::reply(status, replies::error_json("Bearer " + token + " is unknown")),
                   WallTime{}, sent)
              .outcome;
      const auto* transient = std::get_if<Transient>(&outcome);
      ASSERT_NE(transient, nullptr);
      EXPECT_EQ(transient->why.find("abcdefgh"), std::string::npos) << transient->why;
      EXPECT_NE(transient->why.find(std::to_string(status)), std::string::npos);
    }
  }
}

TEST(SafeLine, IsPrintableAndRepeatsNoSecret) {
  const SentSecrets sent({make_secret("sesame")});
  EXPECT_EQ(safe_line("connect to 127.0.0.1 port 8900 failed", sent),
            "connect to 127.0.0.1 port 8900 failed");
  EXPECT_EQ(safe_line("subject name 'a\nrotad: forged\x1b[2J\xc2'", sent),
            "subject name 'a?rotad: forged?[2J?'");
  EXPECT_EQ(safe_line("an echo of SESAME", sent), "");
  EXPECT_EQ(safe_line(std::string(500, 'x'), sent).size(), 200U);
}

}  // namespace
}  // namespace rota
