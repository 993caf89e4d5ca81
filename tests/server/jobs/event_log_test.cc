#include "server/jobs/event_log.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

v1::WatchFitResponse Running(int64_t iteration) {
  v1::WatchFitResponse event;
  event.set_state(v1::Fit::STATE_RUNNING);
  event.mutable_progress()->set_iteration(iteration);
  return event;
}

v1::WatchFitResponse Final() {
  v1::WatchFitResponse event;
  event.set_state(v1::Fit::STATE_SUCCEEDED);
  event.mutable_fit()->set_name("fits/a");
  return event;
}

// Sequence numbers that a fast reader gets.
std::vector<int64_t> ReadAll(const EventLog& log, int64_t after) {
  std::vector<int64_t> sequences;
  int64_t cursor = log.StartCursor(after);
  while (const EventLog::Event event = log.Next(cursor)) {
    cursor = event->sequence();
    sequences.push_back(cursor);
  }
  return sequences;
}

TEST(EventLogTest, NumbersEventsFromOne) {
  EventLog log;
  EXPECT_EQ(log.Next(0), nullptr);
  for (int i = 0; i < 3; ++i) log.Append(Running(i));
  EXPECT_EQ(ReadAll(log, 0), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(log.last_sequence(), 3);
  EXPECT_EQ(log.Next(1)->progress().iteration(), 1);
}

TEST(EventLogTest, ResumesAfterASequenceNumber) {
  EventLog log;
  for (int i = 0; i < 5; ++i) log.Append(Running(i));
  EXPECT_EQ(ReadAll(log, 3), (std::vector<int64_t>{4, 5}));
  EXPECT_TRUE(ReadAll(log, 5).empty());
  EXPECT_EQ(ReadAll(log, 99).size(), 5u) << "a number that was never given out counts as 0";
}

TEST(EventLogTest, NewReaderGetsAllThatIsRetained) {
  EventLog log;
  for (int i = 0; i < EventLog::kCapacity + 10; ++i) log.Append(Running(i));
  const std::vector<int64_t> sequences = ReadAll(log, 0);
  EXPECT_EQ(sequences.size(), static_cast<size_t>(EventLog::kCapacity));
  EXPECT_EQ(sequences.front(), 11);
}

TEST(EventLogTest, SlowReaderGetsTheNewest) {
  EventLog log;
  log.Append(Running(0));
  const int64_t cursor = log.Next(log.StartCursor(0))->sequence();
  for (int i = 1; i <= 2 * EventLog::kCapacity; ++i) log.Append(Running(i));
  EXPECT_EQ(log.Next(cursor)->progress().iteration(), 2 * EventLog::kCapacity);
}

TEST(EventLogTest, TheFinalEventEndsTheLogAndReachesEveryReader) {
  EventLog log;
  for (int i = 0; i < 100; ++i) log.Append(Running(i));
  const int64_t behind = log.StartCursor(0);
  log.Append(Final());
  log.Append(Running(0));
  EXPECT_EQ(log.last_sequence(), 101);
  for (const int64_t after : {int64_t{0}, int64_t{100}, int64_t{101}, int64_t{1000}}) {
    ASSERT_FALSE(ReadAll(log, after).empty()) << after;
    EXPECT_EQ(ReadAll(log, after).back(), 101) << after;
  }
  EXPECT_TRUE(log.Next(behind)->has_fit());
}

TEST(EventLogTest, SequenceCanContinueAnEarlierOne) {
  EventLog log(41);
  log.Append(Final());
  EXPECT_EQ(ReadAll(log, 7), (std::vector<int64_t>{41}));
}

TEST(EventLogTest, ListenersHearAppendsAndTheEnd) {
  EventLog log;
  int heard = 0;
  const int64_t id = log.AddListener([&] { ++heard; });
  log.Append(Running(0));
  EXPECT_EQ(heard, 1);
  log.Close();
  EXPECT_EQ(heard, 2);
  EXPECT_TRUE(log.closed());
  log.RemoveListener(id);
  log.Append(Running(1));
  EXPECT_EQ(heard, 2);
}

TEST(EventLogTest, ReadersAndListenersMayComeAndGoWhileEventsAreAppended) {
  EventLog log;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!stop) {
        const int64_t id = log.AddListener([] {});
        int64_t last = 0, cursor = log.StartCursor(0);
        while (const EventLog::Event event = log.Next(cursor)) {
          cursor = event->sequence();
          EXPECT_GT(cursor, last);
          last = cursor;
        }
        log.RemoveListener(id);
      }
    });
  }
  for (int i = 0; i < 2000; ++i) log.Append(Running(i));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(log.last_sequence(), 2000);
}

}  // namespace
}  // namespace aisivi::server
