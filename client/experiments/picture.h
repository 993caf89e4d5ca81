// A picture as PNG and as SVG, drawn by gnuplot from one script.
#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/density_grid.h"
#include "client/cli/plot_training.h"

namespace aisivi::experiments {

// The script of a picture: panels one after the other, each placed by itself.
class Picture {
 public:
  Picture(int width, int height) : width_(width), height_(height) {}

  // Lines of gnuplot, as they are.
  void Add(const std::string& lines) { body_ += lines; }
  // A named block of data, "$name", of points (x, y, …), one per row.
  void AddData(const std::string& name, const std::vector<std::vector<double>>& rows);
  // The same of a grid: value (i, j) at position i of x and j of y.
  void AddGrid(const std::string& name, const cli::Axis& x, const cli::Axis& y,
               const Eigen::MatrixXd& values);
  // The page's title, at its upper left corner.
  void Title(const std::string& text);
  // Begins a panel there, with that title and those labels; clears what the last one set.
  void BeginPanel(const cli::Panel& place, const std::string& title, const std::string& x_label,
                  const std::string& y_label);

  // Fills the panel begun last, which has nothing to show, with the reason.
  void Nothing(const std::string& why);

  // Draws FOLDER/NAME.png and FOLDER/NAME.svg. NOT_FOUND when there is no gnuplot.
  absl::Status Draw(const std::filesystem::path& folder, const std::string& name) const;

 private:
  const int width_, height_;
  int panels_ = 0;
  std::string body_;
};

// Colours that can be told apart, also by the colour-blind; begins again after eight.
std::string SeriesColor(size_t index);

}  // namespace aisivi::experiments
