// Curves in a panel of a picture, on linear or logarithmic axes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/experiments/picture.h"

namespace aisivi::experiments {

struct Curve {
  std::string title;
  std::vector<std::pair<double, double>> points;  // x, y
  std::string color;
  bool dashed = false;  // a guide for the eye: dashed, without marks, and not what the axes are for
};

struct CurveStyle {
  bool log_x = true, log_y = true;  // where the points span more than a decade or so
  std::string key;                  // where the legend stands, as gnuplot says it; empty: none
  std::string nothing;              // said where no curve has a point that can be shown
};

// Draws into the panel begun last. A point that is not finite, or that a logarithmic axis cannot
// show, is left out. `id` names the panel's data: different in each panel of a picture.
void DrawCurves(const std::vector<Curve>& curves, const CurveStyle& style, const std::string& id,
                Picture* picture);

}  // namespace aisivi::experiments
