#include "deliver/deliveries.h"

#include <gmock/gmock.h>

#include "base/token_digest.h"

namespace rota::deliver {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr BootTime kStart{hours{5}};
constexpr BootTime kLater = kStart + hours{1};

// What a deed is, in a word.
std::string word(const Deed& deed) {
  if (const auto* write = std::get_if<Write>(&deed)) return fmt::format("write {}", write->file);
  if (const auto* remove = std::get_if<Remove>(&deed))
    return fmt::format("remove {}", remove->file);
  return fmt::format("run {}", std::get<Run>(deed).run);
}

// Deliveries of files that can all be written, at a time that the test moves.
class Files {
 public:
  explicit Files(std::vector<FileOrder> orders, Told told = {})
      : deliveries(std::move(orders), std::move(told)) {}

  // What is due, carried out; programs go on until end_run().
  std::vector<std::string> work(bool good = true) {
    std::vector<std::string> words;
    for (auto deeds = deliveries.due(now); !deeds.empty(); deeds = deliveries.due(now)) {
      for (const Deed& deed : deeds) {
        words.push_back(word(deed));
        if (const auto* write = std::get_if<Write>(&deed)) {
          deliveries.on_written(write->file, good, now);
        } else if (const auto* remove = std::get_if<Remove>(&deed)) {
          deliveries.on_removed(remove->file, good, now);
        }
      }
    }
    return words;
  }
  void content(std::size_t file, std::string_view text, BootTime expires = kLater) {
    deliveries.on_content(file, digest_of(text), expires, now);
  }
  // Goes to the next time at which something is due.
  Duration forward() {
    const auto due = deliveries.next_due();
    if (!due) return Duration::max();
    const Duration wait = *due - now;
    now = std::max(now, *due);
    return wait;
  }

  Deliveries deliveries;
  BootTime now = kStart;
};

FileOrder with_run(std::string path, bool keep = false) {
  return {.path = std::move(path), .run = {"reload", "app"}, .keep = keep};
}

TEST(Deliveries, NothingIsDueBeforeAnythingIsHeard) {
  Files files({{.path = "/a"}});
  EXPECT_THAT(files.work(), IsEmpty());
  EXPECT_EQ(files.deliveries.next_due(), std::nullopt);
  EXPECT_FALSE(files.deliveries.settled());
}

TEST(Deliveries, ATokenIsWrittenOnceAndANewOneAgain) {
  Files files({{.path = "/a"}});
  files.content(0, "one");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  EXPECT_TRUE(files.deliveries.settled());
  files.content(0, "one");
  EXPECT_THAT(files.work(), IsEmpty());
  files.content(0, "two");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
}

TEST(Deliveries, ALeaversFileGoesAtOnceAndComesBackWithTheMember) {
  Files files({{.path = "/a"}});
  files.deliveries.on_gone(0, files.now);
  EXPECT_THAT(files.work(), ElementsAre("remove 0")) << "it may be there from before";
  EXPECT_THAT(files.work(), IsEmpty());
  files.content(0, "one");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  files.deliveries.on_gone(0, files.now);
  EXPECT_THAT(files.work(), ElementsAre("remove 0"));
  EXPECT_EQ(files.deliveries.state_of(0), FileState::kRemoved);
  files.content(0, "one");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
}

TEST(Deliveries, AnExpiredTokenIsRemovedAtItsEnd) {
  Files files({{.path = "/a"}});
  files.content(0, "one", kStart + seconds{10});
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  EXPECT_EQ(files.forward(), seconds{10});
  files.now -= milliseconds{1};
  EXPECT_THAT(files.work(), IsEmpty());
  files.now += milliseconds{1};
  EXPECT_THAT(files.work(), ElementsAre("remove 0"));
  files.content(0, "two", files.now);
  EXPECT_THAT(files.work(), IsEmpty()) << "dead on arrival";
}

TEST(Deliveries, ALongerLifeOfTheSameTokenCounts) {
  Files files({{.path = "/a"}});
  files.content(0, "one", kStart + seconds{10});
  files.work();
  files.content(0, "one", kStart + seconds{20});
  files.now += seconds{10};
  EXPECT_THAT(files.work(), IsEmpty());
}

TEST(Deliveries, AFailedWriteIsTriedAgainWithGrowingDistance) {
  Files files({{.path = "/a"}});
  files.content(0, "one");
  std::vector<Duration> waits;
  for (int i = 0; i < 7; ++i) {
    EXPECT_THAT(files.work(false), ElementsAre("write 0"));
    EXPECT_EQ(files.deliveries.failures_of_file(0), i + 1);
    EXPECT_FALSE(files.deliveries.settled());
    waits.push_back(files.forward());
  }
  EXPECT_THAT(waits, ElementsAre(seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16},
                                 seconds{30}, seconds{30}));
  files.content(0, "two");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  EXPECT_EQ(files.deliveries.failures_of_file(0), 0);
}

TEST(Deliveries, AFailedRemovalIsTriedAgain) {
  Files files({{.path = "/a"}});
  files.deliveries.on_gone(0, files.now);
  EXPECT_THAT(files.work(false), ElementsAre("remove 0"));
  EXPECT_EQ(files.forward(), seconds{1});
  EXPECT_THAT(files.work(), ElementsAre("remove 0"));
}

TEST(Deliveries, AProgramRunsOnceForChangesAtAboutTheSameTime) {
  Files files({with_run("/a"), with_run("/b"), {.path = "/c", .run = {"other"}}});
  files.content(0, "one");
  files.content(1, "two");
  files.work();
  files.now += kRunDelay - milliseconds{1};
  EXPECT_THAT(files.work(), IsEmpty());
  files.now += milliseconds{1};
  EXPECT_THAT(files.work(), ElementsAre("run 0"));
  EXPECT_THAT(files.deliveries.program(0), ElementsAre("reload", "app"));
  files.deliveries.on_run_end(0, true, files.now);
  files.now += hours{1} - seconds{10};
  EXPECT_THAT(files.work(), IsEmpty());
}

TEST(Deliveries, AChangeDuringARunRunsItOnceMoreAfterIt) {
  Files files({with_run("/a")});
  files.content(0, "one");
  files.work();
  files.now += kRunDelay;
  ASSERT_THAT(files.work(), ElementsAre("run 0"));
  files.content(0, "two");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  files.now += minutes{1};
  EXPECT_THAT(files.work(), IsEmpty()) << "never two at once";
  files.deliveries.on_run_end(0, true, files.now);
  files.now += kRunDelay;
  EXPECT_THAT(files.work(), ElementsAre("run 0"));
  files.deliveries.on_run_end(0, true, files.now);
  files.now += minutes{5};
  EXPECT_THAT(files.work(), IsEmpty());
}

TEST(Deliveries, AFailedProgramRunsAgainWithGrowingDistance) {
  Files files({with_run("/a")});
  files.content(0, "one", kStart + hours{24});
  files.work();
  std::vector<Duration> waits;
  for (int i = 0; i < 11; ++i) {
    files.forward();
    ASSERT_THAT(files.work(), ElementsAre("run 0"));
    files.deliveries.on_run_end(0, false, files.now);
    waits.push_back(*files.deliveries.next_due() - files.now);
  }
  EXPECT_THAT(waits,
              ElementsAre(seconds{1}, seconds{2}, seconds{4}, seconds{8}, seconds{16}, seconds{32},
                          seconds{64}, seconds{128}, seconds{256}, seconds{300}, seconds{300}));
}

TEST(Deliveries, ARestartRunsNothing) {
  Files before({with_run("/a"), with_run("/b")});
  before.content(0, "one");
  before.content(1, "two");
  before.work();
  before.now += kRunDelay;
  ASSERT_THAT(before.work(), ElementsAre("run 0"));
  before.deliveries.on_run_end(0, true, before.now);

  Files after({with_run("/a"), with_run("/b")}, before.deliveries.told());
  after.content(0, "one");
  after.content(1, "two");
  EXPECT_THAT(after.work(), ElementsAre("write 0", "write 1"));
  after.now += minutes{10};
  EXPECT_THAT(after.work(), IsEmpty());
}

TEST(Deliveries, AProgramThatWasNotToldBeforeACrashIsToldAfterIt) {
  Files before({with_run("/a")});
  before.content(0, "one");
  before.work();
  Files after({with_run("/a")}, before.deliveries.told());
  after.content(0, "one");
  after.work();
  after.now += kRunDelay;
  EXPECT_THAT(after.work(), ElementsAre("run 0"));
}

TEST(Deliveries, AMemberThatComesBackWithTheSameTokenIsNoChange) {
  Files files({with_run("/a")});
  files.content(0, "one");
  files.work();
  files.now += kRunDelay;
  files.work();
  files.deliveries.on_run_end(0, true, files.now);
  files.deliveries.on_gone(0, files.now);
  files.work();
  files.now += minutes{1};
  EXPECT_THAT(files.work(), IsEmpty()) << "nor is a removal one";
  files.content(0, "one");
  EXPECT_THAT(files.work(), ElementsAre("write 0"));
  files.now += minutes{1};
  EXPECT_THAT(files.work(), IsEmpty());
}

TEST(Deliveries, AChangeThatIsUndoneBeforeItsProgramRunsIsNone) {
  Files files({with_run("/a")}, {{"/a", digest_of("one")}});
  files.content(0, "two");
  files.work();
  files.content(0, "one");
  files.work();
  files.now += kRunDelay;
  EXPECT_THAT(files.work(), IsEmpty());
  EXPECT_GT(*files.deliveries.next_due(), files.now + minutes{1}) << "only the token's end is left";
}

TEST(Deliveries, AStopRemovesWhatIsNotKeptAndStartsNothing) {
  Files files({with_run("/a"), {.path = "/b", .keep = true}, {.path = "/c"}});
  files.content(0, "one");
  files.content(1, "two");
  files.work();
  files.deliveries.on_stop(files.now);
  files.content(2, "three");
  files.content(0, "four");
  EXPECT_THAT(files.work(), ElementsAre("remove 0", "remove 2"))
      << "also one of which nothing was heard";
  EXPECT_EQ(files.deliveries.state_of(1), FileState::kLeft);
  EXPECT_TRUE(files.deliveries.stopped());
  EXPECT_EQ(files.deliveries.next_due(), std::nullopt);
  files.now += minutes{1};
  EXPECT_THAT(files.work(), IsEmpty());
}

TEST(Deliveries, AStopThatCannotRemoveIsNotOver) {
  Files files({{.path = "/a"}});
  files.content(0, "one");
  files.work();
  files.deliveries.on_stop(files.now);
  files.work(false);
  EXPECT_FALSE(files.deliveries.stopped());
  files.forward();
  files.work();
  EXPECT_TRUE(files.deliveries.stopped());
}

TEST(Deliveries, ARunThatEndsDuringAStopIsOnRecord) {
  Files files({with_run("/a")});
  files.content(0, "one");
  files.work();
  files.now += kRunDelay;
  files.work();
  files.deliveries.on_stop(files.now);
  files.deliveries.on_run_end(0, true, files.now);
  EXPECT_EQ(files.deliveries.told().at("/a"), digest_of("one"));
}

}  // namespace
}  // namespace rota::deliver
