#include "server/convert/target_data.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/transforms/names.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/convert/target_spec.h"
#include "server/store/dataset_name.h"
#include "server/store/dataset_upload.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kTable[] =
    "id,damage,temperature,\"wind, mean\"\n1,0,66,1.5\n2,1,70,2\n3,0,69,0.25\n";

class TargetDataTest : public ::testing::Test {
 protected:
  TargetDataTest() : datasets_(*DatasetStore::Open(directory_.path(), {})) {
    name_ = Upload(kTable);
  }

  std::string Upload(const std::string& text) {
    auto upload = *datasets_->Begin("", static_cast<int64_t>(text.size()));
    EXPECT_TRUE(upload->Write(text).ok());
    const absl::StatusOr<v1::Dataset> dataset = upload->Commit();
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    return dataset->name();
  }

  // NAME in the text is the data set's.
  v1::TargetSpec Spec(std::string text, const std::string& name) {
    for (size_t at; (at = text.find("NAME")) != std::string::npos;) {
      text.replace(at, 4, absl::StrCat("'", name, "'"));
    }
    v1::TargetSpec spec;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec)) << text;
    return spec;
  }
  absl::StatusOr<std::unique_ptr<const Target>> Build(const std::string& text) {
    return BuildTarget(Spec(text, name_), "fit.target", datasets_.get());
  }

  TemporaryDirectory directory_;
  std::unique_ptr<DatasetStore> datasets_;
  std::string name_;
};

double LogDensity(const Target& target, const Eigen::VectorXd& z, Eigen::MatrixXd* score) {
  Eigen::VectorXd value;
  EXPECT_TRUE(target.Evaluate(z, &value, score).ok());
  return value[0];
}

TEST_F(TargetDataTest, AllOtherColumnsInOrder) {
  const auto data =
      ReadTargetData(Spec("logistic_regression { dataset: NAME response: 'damage' }", name_), "t",
                     datasets_.get());
  ASSERT_TRUE(data.ok() && data->has_value()) << data.status();
  EXPECT_EQ((*data)->x, (Eigen::MatrixXd{{1, 66, 1.5}, {2, 70, 2}, {3, 69, 0.25}}));
  EXPECT_EQ((*data)->y, (Eigen::VectorXd{{0, 1, 0}}));
  EXPECT_THAT((*data)->columns, ElementsAre("id", "temperature", "wind, mean"));
  EXPECT_EQ((*data)->response, "damage");
}

TEST_F(TargetDataTest, ChosenColumnsInTheirOrderWithAnIntercept) {
  const auto data = ReadTargetData(Spec("linear_regression { dataset: NAME response: 'damage' "
                                        "predictors: ['wind, mean', 'id'] intercept: true }",
                                        name_),
                                   "t", datasets_.get());
  ASSERT_TRUE(data.ok() && data->has_value()) << data.status();
  EXPECT_EQ((*data)->x, (Eigen::MatrixXd{{1, 1.5, 1}, {1, 2, 2}, {1, 0.25, 3}}));
  EXPECT_THAT((*data)->columns, ElementsAre("intercept", "wind, mean", "id"));
}

TEST_F(TargetDataTest, TheSameTargetAsInline) {
  const auto named = Build(
      "logistic_regression { dataset: NAME response: 'damage' predictors: 'temperature' "
      "intercept: true prior_precision: 0.5 }");
  const auto given = Build(
      "logistic_regression { x { rows: 3 columns: 2 values: [1, 66, 1, 70, 1, 69] } y: [0, 1, 0] "
      "prior_precision: 0.5 }");
  ASSERT_TRUE(named.ok() && given.ok()) << named.status() << given.status();
  const Eigen::VectorXd z{{0.3, -0.01}};
  Eigen::MatrixXd named_score, given_score;
  EXPECT_EQ(LogDensity(**named, z, &named_score), LogDensity(**given, z, &given_score));
  EXPECT_EQ(named_score, given_score);
  EXPECT_THAT((*named)->CoordinateNames(), ElementsAre("beta[intercept]", "beta[temperature]"));
  EXPECT_THAT((*given)->CoordinateNames(), ElementsAre("beta[1]", "beta[2]"));
}

TEST_F(TargetDataTest, EveryKindOfRegressionCarriesTheNames) {
  const std::string form = "{ dataset: NAME response: 'damage' predictors: ['id', 'temperature'] ";
  EXPECT_THAT((*Build("poisson_regression" + form + "}"))->CoordinateNames(),
              ElementsAre("beta[id]", "beta[temperature]"));
  EXPECT_THAT((*Build("linear_regression" + form + "}"))->CoordinateNames(),
              ElementsAre("beta[id]", "beta[temperature]", "log_sigma"));
  EXPECT_THAT((*Build("bayesian_neural_network" + form + "hidden: 2 }"))->CoordinateNames(),
              ElementsAre("w[1,id]", "w[2,id]", "w[1,temperature]", "w[2,temperature]", "b[1]",
                          "b[2]", "v[1]", "v[2]", "c", "log_sigma"));
  EXPECT_THAT(ElementNames((*Build("linear_regression" + form + "}"))->Variables()),
              ElementsAre("beta[id]", "beta[temperature]", "sigma"));
}

TEST_F(TargetDataTest, KnownEvidenceIsThatOfTheSameNumbersInline) {
  const auto spec =
      Spec("linear_regression { dataset: NAME response: 'temperature' predictors: 'id' }", name_);
  const std::optional<double> named = KnownLogZ(spec, datasets_.get());
  const std::optional<double> given = KnownLogZ(
      Spec("linear_regression { x { rows: 3 columns: 1 values: [1, 2, 3] } y: [66, 70, 69] }", ""));
  ASSERT_TRUE(named.has_value() && given.has_value());
  EXPECT_EQ(*named, *given);
  EXPECT_FALSE(KnownLogZ(spec, nullptr).has_value());
}

TEST_F(TargetDataTest, MistakesNameTheirField) {
  const std::string intercept = Upload("y,intercept\n1,2\n");
  const std::string alone = Upload("y\n1\n");
  const std::string t = "fit.target.logistic_regression.";
  const struct {
    std::string fields;
    std::string message;
  } cases[] = {
      {"dataset: NAME", t + "response: is required with dataset"},
      {"dataset: NAME response: ''", t + "response: is required with dataset"},
      {"dataset: NAME response: 'none'", t + "response: " + name_ +
                                             " has no column \"none\"; its "
                                             "columns are id, damage, temperature, wind, mean"},
      {"dataset: NAME response: 'damage' predictors: ['id', 'none']", t + "predictors[1]: "},
      {"dataset: NAME response: 'damage' predictors: ['id', 'id']",
       t + "predictors[1]: \"id\" is a predictor already"},
      {"dataset: NAME response: 'damage' predictors: 'damage'",
       t + "predictors[0]: \"damage\" is the response"},
      {"dataset: NAME response: 'temperature'",
       t + "response: column \"temperature\": entry 1 is 66, not 0 or 1"},
      {"dataset: NAME response: 'damage' y: 1", t + "dataset: stands for x and y, and y is given"},
      {"dataset: NAME response: 'damage' x { rows: 1 columns: 1 values: 1 }",
       t + "dataset: stands for x and y, and x is given"},
      {"dataset: NAME response: 'damage' prior_precision: -1", t + "prior_precision: "},
      {"response: 'damage'", t + "response: needs dataset"},
      {"predictors: 'damage'", t + "predictors: needs dataset"},
      {"intercept: true y: 1 x { rows: 1 columns: 1 values: 1 }", t + "intercept: needs dataset"},
      {"dataset: 'x' response: 'damage'", t + "dataset: must read datasets/{id}"},
      {"dataset: '' response: 'damage'", t + "dataset: must read datasets/{id}"},
      {"dataset: '" + intercept + "' response: 'y' intercept: true",
       t + "intercept: a predictor is called \"intercept\" already"},
      {"dataset: '" + alone + "' response: 'y'", t + "predictors: "},
      {"", t + "x: required"},
  };
  for (const auto& c : cases) {
    const absl::Status status = Build("logistic_regression { " + c.fields + " }").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << c.fields << status;
    EXPECT_THAT(std::string(status.message()), StartsWith(c.message)) << c.fields;
  }
  // An intercept alone is a model.
  EXPECT_TRUE(
      Build("logistic_regression { dataset: '" + alone + "' response: 'y' intercept: true }").ok());
}

TEST_F(TargetDataTest, AllMistakesAreToldAtOnce) {
  const absl::Status status =
      Build(
          "logistic_regression { dataset: NAME response: 'none' predictors: ['id', 'id', 'no'] "
          "prior_precision: inf }")
          .status();
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(bad_request.ParseFromString(std::string(
      status.GetPayload("type.googleapis.com/google.rpc.BadRequest").value_or(absl::Cord()))));
  std::vector<std::string> fields;
  for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  const std::string t = "fit.target.logistic_regression.";
  EXPECT_THAT(fields, ElementsAre(t + "prior_precision", t + "response", t + "predictors[1]",
                                  t + "predictors[2]"));
  // As many as an answer has room for, however many there are.
  std::string names;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&names, i == 0 ? "'none'" : ", 'none'");
  EXPECT_LT(
      Build("logistic_regression { dataset: NAME response: 'damage' predictors: [" + names + "] }")
          .status()
          .message()
          .size(),
      2000u);
}

TEST_F(TargetDataTest, TooMuchIsRefusedBeforeItIsRead) {
  std::string names, row;
  for (int c = 0; c < 10002; ++c) {
    absl::StrAppend(&names, c == 0 ? "c" : ",c", c);
    absl::StrAppend(&row, c == 0 ? "" : ",", c % 2);
  }
  const std::string wide = Upload(absl::StrCat(names, "\n", row, "\n"));
  const absl::Status status =
      Build("logistic_regression { dataset: '" + wide + "' response: 'c0' }").status();
  EXPECT_THAT(std::string(status.message()),
              StartsWith("fit.target.logistic_regression.predictors: are too many: 10001 columns"));
  EXPECT_TRUE(Build("logistic_regression { dataset: '" + wide +
                    "' response: 'c0' predictors: "
                    "'c9' }")
                  .ok());
}

TEST_F(TargetDataTest, AMissingOneIsNotFoundAndADamagedOneLost) {
  const std::string spec = "logistic_regression { dataset: NAME response: 'damage' }";
  const std::string missing = DatasetName(std::string(32, 'a'));
  const auto absent = Spec(spec, missing);
  for (const absl::Status& status :
       {BuildTarget(absent, "fit.target", datasets_.get()).status(),
        LeaseDatasetOf(absent, "fit.target", datasets_.get()).status()}) {
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                StartsWith("fit.target.logistic_regression.dataset: there is no data set"));
  }
  EXPECT_THAT(std::string(BuildTarget(absent, "fit.target").status().message()),
              StartsWith("fit.target.logistic_regression.dataset: there are no data sets here"));
  const std::string file = absl::StrCat(directory_.path(), "/", name_, ".dataset");
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(std::string(kTable).find("66")));
  stream << "6x";
  stream.close();
  const absl::Status damaged = Build(spec).status();
  EXPECT_TRUE(absl::IsDataLoss(damaged)) << damaged;
  EXPECT_THAT(std::string(damaged.message()), HasSubstr(name_));
}

TEST_F(TargetDataTest, LeasesAndNamesWhatATargetNames) {
  const auto spec = Spec("poisson_regression { dataset: NAME response: 'damage' }", name_);
  EXPECT_EQ(DatasetOf(spec), name_);
  EXPECT_EQ(TargetNumbers(spec, datasets_.get()), 12);
  absl::StatusOr<DatasetLease> lease = LeaseDatasetOf(spec, "t", datasets_.get());
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  const std::string id = *ParseDatasetName(name_, "name");
  const auto unused = [] { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsFailedPrecondition(datasets_->Delete(id, unused)));
  lease->reset();
  EXPECT_TRUE(datasets_->Delete(id, unused).ok());
  EXPECT_EQ(DatasetOf(Spec("banana {}", "")), "");
  EXPECT_EQ(DatasetOf(v1::TargetSpec()), "");
  EXPECT_EQ(*LeaseDatasetOf(Spec("banana {}", ""), "t", nullptr), nullptr);
  EXPECT_TRUE(TakesDataset("linear_regression"));
  EXPECT_FALSE(TakesDataset("banana"));
  EXPECT_FALSE(TakesDataset("none"));
}

TEST_F(TargetDataTest, TheBasicViewKeepsTheName) {
  v1::TargetSpec spec = Spec(
      "logistic_regression { dataset: NAME response: 'damage' predictors: 'id' intercept: true }",
      name_);
  StripArrays(&spec);
  EXPECT_EQ(DatasetOf(spec), name_);
  EXPECT_EQ(spec.logistic_regression().response(), "damage");
  EXPECT_EQ(spec.logistic_regression().predictors_size(), 0);
}

}  // namespace
}  // namespace aisivi::server
