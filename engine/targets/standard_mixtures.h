// Mixtures of two-dimensional Gaussians that the literature uses as tests. All normalised: log Z =
// 0.
//
//   multimodal       ½ N((−2, 0), I) + ½ N((2, 0), I)
//   x_shaped         ½ N(0, [[2, 1.8], [1.8, 2]]) + ½ N(0, [[2, −1.8], [−1.8, 2]])
//   eight_gaussians  8 equal weights on a circle of radius 4, sd 0.5
//   gaussian_grid    25 equal weights on a 5×5 grid of spacing 2.5 around the origin, sd 0.3
//
// Sources: the first two, Yin & Zhou, ICML 2018 (arXiv 1805.11183); the last two are customary
// tests of mode coverage for generative models.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec MultimodalSpec();
BuiltinSpec XShapedSpec();
BuiltinSpec EightGaussiansSpec();
BuiltinSpec GaussianGridSpec();

}  // namespace aisivi
