// aisivi plot.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/density_grid.h"
#include "client/cli/draws_csv.h"
#include "client/cli/gnuplot.h"
#include "client/cli/output.h"
#include "client/cli/plot_page.h"

namespace aisivi::cli {
namespace {

constexpr int kMostCoordinates = 6;

struct PlotFlags {
  std::string name;
  std::string out;
  std::vector<std::string> pairs;
  DrawsOptions draws;
};

// Indices of the named elements, by either of their names; INVALID_ARGUMENT for one that does not
// exist.
absl::StatusOr<std::vector<int>> FindCoordinates(const std::vector<std::string>& wanted,
                                                 const std::vector<std::string>& names) {
  if (wanted.size() > kMostCoordinates) {
    return absl::InvalidArgumentError(
        absl::StrCat("--pairs: at most ", kMostCoordinates, " names"));
  }
  std::vector<int> indices;
  for (const std::string& name : wanted) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& known) {
      return known == name || CsvName(known) == name;
    });
    if (found == names.end()) {
      return absl::InvalidArgumentError(absl::StrCat("--pairs: none is called '", name,
                                                     "' (the first is ", names.front(),
                                                     ", the last ", names.back(), ")"));
    }
    indices.push_back(static_cast<int>(found - names.begin()));
  }
  return indices;
}

// At the commas outside of brackets.
std::vector<std::string> SplitNameLists(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists) {
    int depth = 0;
    names.emplace_back();
    for (const char c : list) {
      depth += (c == '[') - (c == ']');
      if (c == ',' && depth <= 0) {
        names.emplace_back();
      } else {
        names.back() += c;
      }
    }
  }
  return names;
}

// The draws all of whose coordinates are finite.
Eigen::MatrixXd FiniteColumns(const Eigen::MatrixXd& z) {
  Eigen::MatrixXd finite(z.rows(), z.cols());
  Eigen::Index count = 0;
  for (Eigen::Index n = 0; n < z.cols(); ++n) {
    if (z.col(n).allFinite()) finite.col(count++) = z.col(n);
  }
  finite.conservativeResize(Eigen::NoChange, count);
  return finite;
}

absl::StatusOr<PlotInput> Gather(const PlotFlags& flags, const Globals& globals) {
  const Client client(globals.server);
  const std::string name = FitName(flags.name);
  PlotInput input;
  absl::StatusOr<v1::Fit> fit = client.GetFit(name);
  if (!fit.ok()) return fit.status();
  const absl::StatusOr<Draws> draws = client.GetDraws(name, flags.draws);
  if (!draws.ok()) return draws.status();
  absl::StatusOr<v1::TrainingHistory> history = client.TrainingHistory(name);
  if (!history.ok()) return history.status();
  const Eigen::MatrixXd z = FiniteColumns(draws->z);
  std::vector<int> shown;
  if (flags.pairs.empty()) {
    shown = ChooseCoordinates(z, std::min(5, kMostCoordinates));
  } else {
    absl::StatusOr<std::vector<int>> found =
        FindCoordinates(SplitNameLists(flags.pairs), draws->names);
    if (!found.ok()) return found.status();
    shown = *found;
  }
  input.fit = std::move(*fit);
  input.history = std::move(*history);
  input.z = z(shown, Eigen::all);
  for (const int d : shown) input.names.push_back(draws->names[d]);
  return input;
}

absl::Status RunPlot(const PlotFlags& flags, const Globals& globals) {
  const absl::StatusOr<PlotInput> input = Gather(flags, globals);
  if (!input.ok()) return input.status();
  const absl::StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  if (!directory.ok()) return directory.status();
  const std::filesystem::path picture = directory->path() / "picture.png";
  const absl::StatusOr<std::string> script = WritePlot(*input, directory->path(), picture.string());
  if (!script.ok()) return script.status();
  const absl::Status drawn = RunGnuplot(*script, directory->path());
  if (!drawn.ok()) return drawn;
  std::error_code error;
  std::filesystem::copy_file(picture, flags.out, std::filesystem::copy_options::overwrite_existing,
                             error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat("--out: ", flags.out, ": ", error.message()));
  }
  if (!globals.json) return Print(absl::StrCat("picture written to ", flags.out, "\n"));
  return PrintJson(input->fit);
}

}  // namespace

void AddPlotCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<PlotFlags>();
  flags->draws.count = 20000;
  flags->draws.densities = false;
  CLI::App* command = app.add_subcommand(
      "plot", "A picture of a fitted posterior: marginals, pairs and training curves");
  AddName(command, &flags->name);
  command->add_option("--out", flags->out, "PNG file to write")->type_name("FILE.png")->required();
  command
      ->add_option("--pairs", flags->pairs,
                   "Up to 6 of them to show, for instance z[1],z[4] (default: the most correlated "
                   "ones)")
      ->type_name("NAME,NAME,...")
      ->allow_extra_args(false);
  AddUnconstrained(command, &flags->draws.unconstrained);
  command->add_option("--count", flags->draws.count, "Draws to use (default 20000)")
      ->type_name("N")
      ->check(AtLeast(2));
  command->add_option("--seed", flags->draws.seed, "Names the draws (default 0)")->type_name("N");
  command->callback(
      [=, &globals] { *action = [=, &globals] { return RunPlot(*flags, globals); }; });
}

}  // namespace aisivi::cli
