#include "server/jobs/job_table.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert/progress.h"
#include "server/jobs/fit_name.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

JobPtr MakeJob(const std::string& id, int64_t age, const std::string& request_id = "") {
  v1::Fit fit;
  fit.set_name(FitName(id));
  *fit.mutable_create_time() = ToTimestamp(absl::FromUnixNanos(age));
  auto job = std::make_shared<Job>();
  job->id = id;
  job->request_id = request_id;
  job->fingerprint = 7;
  job->fit = LiveFit(std::move(fit));
  return job;
}

std::vector<std::string> Names(const std::vector<LiveFit::Snapshot>& fits) {
  std::vector<std::string> names;
  for (const LiveFit::Snapshot& fit : fits) names.push_back(fit->name());
  return names;
}

TEST(JobTableTest, IsFoundByIdUntilErased) {
  JobTable table;
  const JobPtr job = MakeJob("a", 10, "request");
  table.Insert(job);
  EXPECT_TRUE(table.Has("a") && table.HasAge(10));
  EXPECT_EQ(*table.Find("a"), job);
  EXPECT_EQ(table.Find("b").status().code(), absl::StatusCode::kNotFound);
  table.Erase(*job);
  EXPECT_FALSE(table.Has("a") || table.HasAge(10));
  EXPECT_FALSE(table.Find("a").ok());
  EXPECT_EQ(*table.FindRequest("request", 7), nullptr);
  EXPECT_THAT(table.all(), IsEmpty());
}

TEST(JobTableTest, IsFoundByItsRequestWhenThatIsTheSame) {
  JobTable table;
  const JobPtr job = MakeJob("a", 10, "request");
  table.Insert(job);
  table.Insert(MakeJob("b", 11));
  EXPECT_EQ(*table.FindRequest("request", 7), job);
  EXPECT_EQ(*table.FindRequest("", 7), nullptr);
  EXPECT_EQ(*table.FindRequest("another", 7), nullptr);
  const absl::Status status = table.FindRequest("request", 8).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith("request_id: was used before"));
}

TEST(JobTableTest, ListsByAgeFromAPosition) {
  JobTable table;
  for (const auto& [id, age] : {std::pair("b", 20), std::pair("a", 10), std::pair("c", 30)}) {
    table.Insert(MakeJob(id, age));
  }
  const auto list = [&](ListOrder order, int64_t position, size_t count) {
    return Names(table.List(order, position, count));
  };
  EXPECT_THAT(list(ListOrder::kNewestFirst, 0, 9), ElementsAre("fits/c", "fits/b", "fits/a"));
  EXPECT_THAT(list(ListOrder::kNewestFirst, 30, 1), ElementsAre("fits/b"));
  EXPECT_THAT(list(ListOrder::kNewestFirst, 10, 9), IsEmpty());
  EXPECT_THAT(list(ListOrder::kOldestFirst, 0, 2), ElementsAre("fits/a", "fits/b"));
  EXPECT_THAT(list(ListOrder::kOldestFirst, 25, 9), ElementsAre("fits/c"));
}

TEST(JobTableTest, AgesOnlyGrow) {
  JobTable table;
  const int64_t first = table.NewAge();
  EXPECT_GT(table.NewAge(), first);
  // As of a clock that was set back since.
  const int64_t ahead = first + (int64_t{1} << 40);
  table.Insert(MakeJob("a", ahead));
  EXPECT_GT(table.NewAge(), ahead);
}

TEST(StoringTest, EndsWithTheLockHeldWhateverHappens) {
  std::mutex mutex;
  std::condition_variable ended;
  Job job;
  std::unique_lock<std::mutex> lock(mutex);
  {
    const Storing storing(&job, &lock, &ended);
    EXPECT_TRUE(job.storing);
  }
  EXPECT_FALSE(job.storing);
  const auto throws = [&] {
    const Storing storing(&job, &lock, &ended);
    lock.unlock();
    throw std::runtime_error("no memory");
  };
  EXPECT_THROW(throws(), std::runtime_error);
  EXPECT_FALSE(job.storing);
  EXPECT_TRUE(lock.owns_lock());
}

}  // namespace
}  // namespace aisivi::server
