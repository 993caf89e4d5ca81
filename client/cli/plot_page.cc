#include "client/cli/plot_page.h"

#include <algorithm>
#include <cmath>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/density_grid.h"
#include "client/cli/output.h"
#include "client/cli/plot_training.h"
#include "client/cli/terminal.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

constexpr int kWidth = 1500, kHeight = 960;
// The square of pairs, in pixels from the lower left corner.
constexpr double kLeft = 95, kBottom = 75, kSide = 790, kGap = 9;

constexpr char kPreamble[] = R"(set encoding utf8
set terminal pngcairo size %d,%d font 'DejaVu Sans,%d' background rgb '#ffffff' noenhanced
set output %s
set multiplot
set border lc rgb '#9aa5b1' lw 1
set tics scale 0.5 nomirror textcolor rgb '#52606d'
set palette defined (0 '#ffffff', 0.12 '#ffffff', 0.25 '#e3eef9', 0.55 '#9fc5e8', 0.8 '#5b9bd5', 1 '#2f75b5')
unset colorbox
unset key
)";

// The directory's data files and the growing script.
class Page {
 public:
  Page(const PlotInput& input, const std::filesystem::path& directory)
      : input_(input), directory_(directory) {
    for (Eigen::Index d = 0; d < input.z.rows(); ++d) axes_.push_back(AxisFor(input.z.row(d)));
  }

  absl::StatusOr<std::string> Write(const std::string& out);

 private:
  int count() const { return static_cast<int>(axes_.size()); }
  void Heading();
  void Place(int row, int column);
  void Marginal(int d);
  void Joint(int row, int column);
  void CorrelationText(int row, int column);
  void Axes(int row, int column);
  std::string File(const std::string& name, const std::string& content);

  const PlotInput& input_;
  const std::filesystem::path directory_;
  std::vector<Axis> axes_;
  std::string script_;
  bool written_ = true;
};

std::string Ticks(const Axis& axis, bool labels) {
  std::vector<std::string> ticks;
  for (const double tick : axis.ticks) {
    ticks.push_back(
        absl::StrFormat("'%s' %.12g", labels ? absl::StrFormat("%.6g", tick) : "", tick));
  }
  return absl::StrJoin(ticks, ", ");
}

// Writes a data file and returns its quoted path.
std::string Page::File(const std::string& name, const std::string& content) {
  const std::filesystem::path path = directory_ / name;
  std::ofstream file(path);
  file << content;
  file.close();
  written_ = written_ && !file.fail();
  return GnuplotString(path.string());
}

void Page::Heading() {
  const v1::Fit& fit = input_.fit;
  const std::string title = fit.display_name().empty() ? TargetName(fit) : fit.display_name();
  std::vector<std::string> facts = {absl::StrCat(fit.dimension(), " dimensions"), MethodName(fit),
                                    absl::StrCat("seed ", fit.has_seed() ? fit.seed() : 1)};
  const v1::LogEvidence& evidence = fit.evidence();
  if (evidence.has_log_z()) {
    const int decimals = DecimalsFor(evidence.standard_error());
    facts.push_back(absl::StrCat("log evidence ", FormatFixed(evidence.log_z(), decimals), " ± ",
                                 FormatFixed(evidence.standard_error(), decimals)));
  }
  if (evidence.has_pareto_k()) {
    facts.push_back(absl::StrCat("Pareto k̂ ", FormatFixed(evidence.pareto_k(), 2)));
  }
  absl::StrAppendFormat(&script_,
                        "set label 101 %s at screen %.4f,%.4f font 'DejaVu Sans Bold,17' "
                        "textcolor rgb '#1f2933' noenhanced\n"
                        "set label 102 %s at screen %.4f,%.4f font 'DejaVu Sans,11' "
                        "textcolor rgb '#52606d' noenhanced\n",
                        GnuplotString(title), kLeft / kWidth, 1 - 32.0 / kHeight,
                        GnuplotString(absl::StrJoin(facts, "  ·  ")), kLeft / kWidth,
                        1 - 60.0 / kHeight);
}

void Page::Place(int row, int column) {
  const double cell = (kSide + kGap) / count();
  const double left = kLeft + column * cell, bottom = kBottom + (count() - 1 - row) * cell;
  absl::StrAppendFormat(&script_,
                        "set lmargin at screen %.5f; set rmargin at screen %.5f\n"
                        "set bmargin at screen %.5f; set tmargin at screen %.5f\n",
                        left / kWidth, (left + cell - kGap) / kWidth, bottom / kHeight,
                        (bottom + cell - kGap) / kHeight);
}

// Labels stand on the outer panels only.
void Page::Axes(int row, int column) {
  const bool bottom = row + 1 == count(), left = column == 0 && row > 0;
  const Axis& x = axes_[column];
  const int size = count() > 4 ? 8 : 10;
  absl::StrAppendFormat(&script_, "set xrange [%.12g:%.12g]\nset xtics nomirror (%s) font ',%d'\n",
                        x.min, x.max, Ticks(x, bottom), size);
  absl::StrAppendFormat(&script_, "set xlabel %s font ',%d' textcolor rgb '#1f2933' noenhanced\n",
                        bottom ? GnuplotString(input_.names[column]) : "''", size + 2);
  absl::StrAppendFormat(&script_, "set ylabel %s font ',%d' textcolor rgb '#1f2933' noenhanced\n",
                        left ? GnuplotString(input_.names[row]) : "''", size + 2);
  if (row == column) {
    script_ += bottom ? "unset ytics\n" : "unset xtics; unset ytics\n";
  } else {
    const Axis& y = axes_[row];
    absl::StrAppendFormat(&script_,
                          "set yrange [%.12g:%.12g]\nset ytics nomirror (%s) font ',%d'\n", y.min,
                          y.max, Ticks(y, left), size);
  }
}

void Page::Marginal(int d) {
  constexpr int kPoints = 240;
  const Axis& axis = axes_[d];
  const Eigen::VectorXd density = Density(input_.z.row(d), axis, kPoints);
  std::string data;
  for (int i = 0; i < kPoints; ++i) {
    absl::StrAppendFormat(&data, "%.9g %.9g\n",
                          axis.min + (axis.max - axis.min) * i / (kPoints - 1), density[i]);
  }
  const std::string file = File(absl::StrCat("marginal_", d), data);
  Place(d, d);
  Axes(d, d);
  absl::StrAppendFormat(
      &script_,
      "set border 1\nset yrange [0:%.9g]\n"
      "plot %s using 1:2 with filledcurves y1=0 fc rgb '#cfe2f3' fs solid noborder,"
      " %s using 1:2 with lines lc rgb '#0b5394' lw 2\nset border 31\n",
      1.12 * density.maxCoeff(), file, file);
}

void Page::Joint(int row, int column) {
  // Small panels need fewer points to look smooth.
  const int points = count() > 3 ? 90 : 150;
  const Axis &x = axes_[column], &y = axes_[row];
  const Eigen::MatrixXd density = Density2(input_.z.row(column), input_.z.row(row), x, y, points);
  std::string data;
  for (int j = 0; j < points; ++j) {
    for (int i = 0; i < points; ++i) {
      absl::StrAppendFormat(&data, "%.9g %.9g %.9g\n", x.min + (x.max - x.min) * i / (points - 1),
                            y.min + (y.max - y.min) * j / (points - 1), density(i, j));
    }
    data += "\n";
  }
  const std::string id = absl::StrCat(row, "_", column);
  const std::string file = File("joint_" + id, data);
  absl::StrAppendFormat(
      &script_,
      "unset surface; set contour base; set cntrparam levels discrete %.9g, %.9g\n"
      "set xrange [*:*]; set yrange [*:*]\nset table $contour_%s\nsplot %s using 1:2:3\n"
      "unset table; unset contour; set surface\n",
      HighestDensityLevel(density, 0.95), HighestDensityLevel(density, 0.5), id, file);
  Place(row, column);
  Axes(row, column);
  absl::StrAppendFormat(
      &script_,
      "set cbrange [0:%.9g]\nplot %s using 1:2:(sqrt($3)) with image, $contour_%s using 1:2 "
      "with lines lc rgb '#0b2545' lw 1.3\n",
      std::sqrt(density.maxCoeff()), file, id);
}

void Page::CorrelationText(int row, int column) {
  const double correlation = Correlation(input_.z.row(row), input_.z.row(column));
  Place(row, column);
  const int size = count() > 4 ? 12 : 16;
  absl::StrAppendFormat(
      &script_,
      "set border 0; unset xtics; unset ytics; set xlabel ''; set ylabel ''\n"
      "set xrange [0:1]; set yrange [0:1]\n"
      "set label 1 %s at 0.5,0.5 center font ',%d' textcolor rgb '%s'\n"
      "plot NaN\nunset label 1\nset border 31\n",
      GnuplotString("ρ = " + absl::StrReplaceAll(FormatFixed(correlation, 2), {{"-", "−"}})), size,
      std::abs(correlation) >= 0.3 ? "#1f2933" : "#9aa5b1");
}

absl::StatusOr<std::string> Page::Write(const std::string& out) {
  script_ = absl::StrFormat(kPreamble, kWidth, kHeight, 10, GnuplotString(out));
  Heading();
  for (int row = 0; row < count(); ++row) {
    for (int column = 0; column < count(); ++column) {
      if (row == column) Marginal(row);
      if (row > column) Joint(row, column);
      if (row < column) CorrelationText(row, column);
      // The heading belongs to the first panel only.
      script_ += "unset label 101; unset label 102\n";
    }
  }
  const Panel region = {(kLeft + kSide + 115) / kWidth, 1 - 25.0 / kWidth, kBottom / kHeight,
                        (kBottom + kSide) / kHeight};
  const std::string training = TrainingPanels(
      input_.fit, input_.history, region,
      [this](const std::string& name, const std::string& data) { return File(name, data); });
  absl::StrAppend(&script_, training, "unset multiplot\nunset output\n");
  if (!written_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the data of the plot cannot be written to ", directory_.string()));
  }
  return script_;
}

}  // namespace

std::string GnuplotString(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) continue;
    quoted += c;
    // Inside single quotes only the quote itself means anything.
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

absl::StatusOr<std::string> WritePlot(const PlotInput& input,
                                      const std::filesystem::path& directory,
                                      const std::string& out) {
  if (input.z.rows() == 0 || input.z.cols() < 2) {
    return absl::FailedPreconditionError("there are too few finite draws to plot");
  }
  return Page(input, directory).Write(out);
}

}  // namespace aisivi::cli
