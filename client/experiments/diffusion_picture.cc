#include "client/experiments/diffusion_picture.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/experiments/picture.h"

namespace aisivi::experiments {
namespace {

constexpr size_t kColumns = 4;
constexpr double kRow = 320;  // pixels

void AddBands(const std::string& name, const PathBands& bands, Picture* picture) {
  std::vector<std::vector<double>> rows;
  for (Eigen::Index d = 0; d < bands.median.size(); ++d) {
    rows.push_back({static_cast<double>(d + 1), bands.low[d], bands.median[d], bands.high[d]});
  }
  picture->AddData(name, rows);
}

std::string PlotBands(const std::string& name, bool reference) {
  std::string plot = absl::StrCat(
      "plot $", name, " using 1:2:4 with filledcurves fc rgb '#cfe2f3' title '95 % band', $", name,
      " using 1:3 with lines lw 1.6 lc rgb '#0b5394' title 'median'");
  if (reference) {
    absl::StrAppend(&plot,
                    ", $reference using 1:2 with lines lw 1.2 dt 2 lc rgb '#b3261e' title "
                    "'reference: 95 % band', $reference using 1:4 with lines lw 1.2 dt 2 lc rgb "
                    "'#b3261e' notitle, $reference using 1:3 with lines lw 1.2 dt 3 lc rgb "
                    "'#b3261e' title 'reference: median'");
  }
  return plot + "\n";
}

}  // namespace

absl::Status DrawDiffusion(const std::vector<BandPanel>& panels,
                           const std::optional<PathBands>& reference,
                           const std::filesystem::path& folder) {
  const size_t rows = std::max<size_t>(1, (panels.size() + kColumns - 1) / kColumns);
  const double height = 80 + kRow * static_cast<double>(rows);
  Picture picture(1680, static_cast<int>(height));
  picture.Title("Paths of the conditioned diffusion");
  if (reference.has_value()) AddBands("reference", *reference, &picture);
  for (size_t p = 0; p < panels.size(); ++p) {
    const size_t row = p / kColumns, column = p % kColumns;
    const double left = 0.04 + 0.242 * static_cast<double>(column);
    const double bottom = (50 + kRow * static_cast<double>(rows - 1 - row)) / height;
    picture.BeginPanel({left, left + 0.205, bottom, bottom + 220 / height}, panels[p].title, "step",
                       column == 0 ? "u" : "");
    if (p == 0) picture.Add("set key at screen 0.985,0.985 right top vertical maxrows 2\n");
    AddBands(absl::StrCat("bands_", p), panels[p].bands, &picture);
    picture.Add("set grid ytics lc rgb '#e4e7eb' lt 1\n");
    picture.Add(absl::StrCat("set xrange [0:", panels[p].bands.median.size(), "]\n"));
    picture.Add(PlotBands(absl::StrCat("bands_", p), reference.has_value()));
  }
  if (panels.empty()) {
    picture.BeginPanel({0.04, 0.98, 0.15, 0.85}, "", "step", "u");
    picture.Nothing("no fit succeeded");
  }
  return picture.Draw(folder, "diffusion");
}

}  // namespace aisivi::experiments
