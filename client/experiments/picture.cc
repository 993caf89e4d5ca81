#include "client/experiments/picture.h"

#include <cmath>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/gnuplot.h"
#include "client/cli/plot_page.h"

namespace aisivi::experiments {
namespace {

constexpr char kPreamble[] = R"(set encoding utf8
set terminal %s size %d,%d font 'DejaVu Sans,10' background rgb '#ffffff' noenhanced
set output %s
set multiplot
set border lc rgb '#9aa5b1' lw 1
set tics scale 0.5 nomirror textcolor rgb '#52606d'
set key noenhanced textcolor rgb '#1f2933' font ',9' samplen 2
)";

absl::Status DrawAs(const std::string& terminal, const std::string& extension, int width,
                    int height, const std::string& body, const std::filesystem::path& target) {
  const absl::StatusOr<cli::TemporaryDirectory> directory = cli::TemporaryDirectory::Create();
  if (!directory.ok()) return directory.status();
  const std::filesystem::path picture = directory->path() / ("picture" + extension);
  const std::string script = absl::StrCat(
      absl::StrFormat(kPreamble, terminal, width, height, cli::GnuplotString(picture.string())),
      body, "unset multiplot\nunset output\n");
  if (absl::Status drawn = cli::RunGnuplot(script, directory->path()); !drawn.ok()) return drawn;
  std::error_code error;
  std::filesystem::copy_file(picture, target, std::filesystem::copy_options::overwrite_existing,
                             error);
  if (!error) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("--out: ", target.string(), ": ", error.message()));
}

std::string Row(const std::vector<double>& row) {
  std::string line;
  for (const double value : row) {
    absl::StrAppend(&line, line.empty() ? "" : " ",
                    std::isfinite(value) ? absl::StrFormat("%.9g", value) : "NaN");
  }
  return line + "\n";
}

}  // namespace

void Picture::AddData(const std::string& name, const std::vector<std::vector<double>>& rows) {
  absl::StrAppend(&body_, "$", name, " << EOD\n");
  for (const std::vector<double>& row : rows) body_ += Row(row);
  body_ += "EOD\n";
}

void Picture::AddGrid(const std::string& name, const cli::Axis& x, const cli::Axis& y,
                      const Eigen::MatrixXd& values) {
  const auto position = [](const cli::Axis& axis, Eigen::Index i, Eigen::Index count) {
    return axis.min +
           (axis.max - axis.min) * static_cast<double>(i) / static_cast<double>(count - 1);
  };
  absl::StrAppend(&body_, "$", name, " << EOD\n");
  for (Eigen::Index j = 0; j < values.cols(); ++j) {
    for (Eigen::Index i = 0; i < values.rows(); ++i) {
      body_ += Row({position(x, i, values.rows()), position(y, j, values.cols()), values(i, j)});
    }
    body_ += "\n";
  }
  body_ += "EOD\n";
}

void Picture::Title(const std::string& text) {
  absl::StrAppendFormat(&body_,
                        "set label 101 %s at screen %.4f,%.4f font 'DejaVu Sans Bold,15' "
                        "textcolor rgb '#1f2933'\n",
                        cli::GnuplotString(text), 20.0 / width_, 1 - 26.0 / height_);
}

void Picture::BeginPanel(const cli::Panel& place, const std::string& title,
                         const std::string& x_label, const std::string& y_label) {
  // The page's title is drawn with the first panel.
  if (panels_++ == 1) body_ += "unset label 101\n";
  absl::StrAppendFormat(
      &body_,
      "set lmargin at screen %.5f; set rmargin at screen %.5f\n"
      "set bmargin at screen %.5f; set tmargin at screen %.5f\n"
      "set border 3; unset logscale; unset colorbox; unset arrow; unset grid; unset key\n"
      "set xtics auto nomirror font ',9'; set ytics auto nomirror font ',9'\n"
      "set format x '%%g'; set format y '%%g'; set xrange [*:*]; set yrange [*:*]\n"
      "set xlabel %s font ',10' textcolor rgb '#1f2933'\n"
      "set ylabel %s font ',10' textcolor rgb '#1f2933'\n"
      "set title %s font 'DejaVu Sans Bold,10' textcolor rgb '#1f2933'\n",
      place.left, place.right, place.bottom, place.top, cli::GnuplotString(x_label),
      cli::GnuplotString(y_label), cli::GnuplotString(title));
}

void Picture::Nothing(const std::string& why) {
  absl::StrAppend(&body_, "set label 2 ", cli::GnuplotString(why),
                  " at graph 0.5,0.5 center textcolor rgb '#9aa5b1'\n"
                  "set xrange [0:1]; set yrange [0:1]; unset xtics; unset ytics\n"
                  "plot NaN notitle\nunset label 2\n");
}

absl::Status Picture::Draw(const std::filesystem::path& folder, const std::string& name) const {
  absl::Status drawn = DrawAs("pngcairo", ".png", width_, height_, body_, folder / (name + ".png"));
  if (!drawn.ok()) return drawn;
  return DrawAs("svg", ".svg", width_, height_, body_, folder / (name + ".svg"));
}

std::string SeriesColor(size_t index) {
  // Okabe and Ito, Color Universal Design (2008), without black and the yellow that white hides.
  static constexpr const char* kColors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                            "#e69f00", "#56b4e9", "#7b3f00", "#52606d"};
  return kColors[index % std::size(kColors)];
}

}  // namespace aisivi::experiments
