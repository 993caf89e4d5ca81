#include "engine/proposal/rational_quadratic.h"

#include <algorithm>

namespace aisivi {
namespace {

constexpr int64_t kBins = kSplineBins;
constexpr int64_t kBlock = 16;  // samples at a time
// A bin has at least this share of a side (arXiv 1906.04032, its code), so that slopes stay finite.
constexpr float kSmallestShare = 1e-3f;
constexpr float kSide = 2 * kSplineBound;
constexpr float kSmallest = kSide * kSmallestShare;                       // ω
constexpr float kShared = kSide - static_cast<float>(kBins) * kSmallest;  // 2B − K ω
constexpr float kLogSlopeRange = 7;  // R: slopes at knots are from 1e-3 to 1e3, as those of bins

// What one comparison takes; Eigen's select() is a branch for each number.
#if defined(__AVX512F__)
constexpr int64_t kVector = 16;
#elif defined(__AVX__)
constexpr int64_t kVector = 8;
#else
constexpr int64_t kVector = 4;
#endif
using Memory = float __attribute__((vector_size(kVector * sizeof(float)), aligned(4), may_alias));

using Lanes = Eigen::Array<float, kBlock, 1>;
using Block = Eigen::Map<Lanes>;
using ConstBlock = Eigen::Map<const Lanes>;

// out ← yes where a ≥ b, else no: also where either is NaN. out may be no.
inline void Select(const Lanes& a, const Lanes& b, const float* yes, const float* no, float* out) {
  for (int64_t i = 0; i < kBlock; i += kVector) {
    const auto at = [i](const float* data) -> const Memory& {
      return *reinterpret_cast<const Memory*>(data + i);
    };
    *reinterpret_cast<Memory*>(out + i) = at(a.data()) >= at(b.data()) ? at(yes) : at(no);
  }
}

inline Lanes Select(const Lanes& a, const Lanes& b, const Lanes& yes, const Lanes& no) {
  Lanes out;
  Select(a, b, yes.data(), no.data(), out.data());
  return out;
}

// The raw parameters of one block of samples.
struct Raw {
  const float* data;
  int64_t stride;

  ConstBlock row(int64_t r) const { return ConstBlock(data + r * stride); }
  ConstBlock slope(int64_t knot) const { return row(2 * kBins + knot - 1); }  // 0 < knot < K
};

// The bin of every sample of a block.
struct Bin {
  Lanes number;                       // k
  Lanes left, width, bottom, height;  // X_k, W_k, Y_k, H_k
  Lanes bent_left, bent_right;        // tanh(r^d/R) at its two knots
  Lanes kappa_left, kappa_right;      // κ₀, κ₁
};

// A sample's place in its bin.
struct Place {
  Lanes xi, zeta, eta;
  Lanes q, n;  // Q and N
};

void Sizes(const Raw& raw, int64_t first_row, Lanes* size) {
  Lanes top = raw.row(first_row);
  for (int64_t k = 1; k < kBins; ++k) top = top.max(raw.row(first_row + k));
  Lanes total = Lanes::Zero();
  for (int64_t k = 0; k < kBins; ++k) {
    size[k] = (raw.row(first_row + k) - top).exp();
    total += size[k];
  }
  total = kShared / total;
  for (int64_t k = 0; k < kBins; ++k) size[k] = kSmallest + total * size[k];
}

// width, height: K each, as Sizes() leaves them. at: v, or u with direction kInverse.
void FindBin(const Raw& raw, const Lanes* width, const Lanes* height, SplineDirection direction,
             const Lanes& at, Bin* bin) {
  const Lanes zero = Lanes::Zero();
  Lanes x = Lanes::Constant(-kSplineBound), y = x;
  *bin = {zero, x, width[0], y, height[0], zero, raw.slope(1), zero, zero};
  for (int64_t k = 1; k < kBins; ++k) {
    x += width[k - 1];
    y += height[k - 1];
    const Lanes number = Lanes::Constant(static_cast<float>(k));
    const Lanes& edge = direction == SplineDirection::kForward ? x : y;
    const auto take = [&](const float* from, Lanes* to) {
      Select(at, edge, from, to->data(), to->data());
    };
    take(number.data(), &bin->number);
    take(x.data(), &bin->left);
    take(width[k].data(), &bin->width);
    take(y.data(), &bin->bottom);
    take(height[k].data(), &bin->height);
    take(raw.slope(k).data(), &bin->bent_left);
    take(k + 1 < kBins ? raw.slope(k + 1).data() : zero.data(), &bin->bent_right);
  }
  bin->bent_left = (bin->bent_left / kLogSlopeRange).tanh();
  bin->bent_right = (bin->bent_right / kLogSlopeRange).tanh();
  const Lanes flatness = bin->width / bin->height;
  bin->kappa_left = (kLogSlopeRange * bin->bent_left).exp() * flatness;
  bin->kappa_right = (kLogSlopeRange * bin->bent_right).exp() * flatness;
}

// Rounding can leave the bin by a hair. A NaN stays.
inline Lanes ClampedToUnit(const Lanes& t) {
  const Lanes zero = Lanes::Zero(), one = Lanes::Ones();
  return Select(zero, t, zero, Select(t, one, one, t));
}

// Fills in what follows from ξ and ζ.
void FinishPlace(const Bin& bin, Place* place) {
  const Lanes both = place->xi * place->zeta;
  const Lanes square = place->xi.square(), other = place->zeta.square();
  place->q = square + other + (bin.kappa_left + bin.kappa_right) * both;
  place->n = bin.kappa_right * square + 2.0f * both + bin.kappa_left * other;
  place->eta = (square + bin.kappa_left * both) / place->q;
}

void PlaceForward(const Bin& bin, const Lanes& v, Place* place) {
  place->xi = ClampedToUnit((v - bin.left) / bin.width);
  place->zeta = 1.0f - place->xi;
  FinishPlace(bin, place);
}

void PlaceInverse(const Bin& bin, const Lanes& u, Place* place) {
  const Lanes eta = ClampedToUnit((u - bin.bottom) / bin.height), zero = Lanes::Zero();
  const Lanes rest = 1.0f - eta;
  const Lanes beta = bin.kappa_left * rest - bin.kappa_right * eta;
  const Lanes sum = beta.abs() + (beta.square() + 4.0f * eta * rest).sqrt();
  const Lanes near = 2.0f * Select(beta, zero, eta, rest);  // from the knot that β points to
  const Lanes share = near / (sum + near), other = 1.0f - share;
  place->xi = Select(beta, zero, share, other);
  place->zeta = Select(beta, zero, other, share);
  FinishPlace(bin, place);
}

// value ← its image; log_slope ← log f' there.
void ApplyBlock(SplineDirection direction, const Raw& raw, float* value, Lanes* log_slope) {
  Lanes width[kBins], height[kBins];
  Sizes(raw, 0, width);
  Sizes(raw, kBins, height);
  const Lanes at = Block(value);
  Bin bin;
  FindBin(raw, width, height, direction, at, &bin);
  Place place;
  Lanes image;
  if (direction == SplineDirection::kForward) {
    PlaceForward(bin, at, &place);
    image = bin.bottom + bin.height * place.eta;
  } else {
    PlaceInverse(bin, at, &place);
    image = bin.left + bin.width * place.xi;
  }
  const Lanes log_inside = (bin.height / bin.width * place.n / place.q.square()).log();
  const Lanes size = at.abs(), bound = Lanes::Constant(kSplineBound);
  Select(size, bound, at.data(), image.data(), value);
  *log_slope = Select(size, bound, Lanes::Zero(), log_inside);
}

// grad (K rows) ← dL/dr by way of the softmax, from dL/dsize: `before` in bins below `number`,
// `here` in that bin. size: K, as Sizes() leaves them.
void SizesBackward(const Lanes* size, const Lanes& number, const Lanes& before, const Lanes& here,
                   float* grad, int64_t stride) {
  Lanes share[kBins], gamma[kBins], mean = Lanes::Zero();
  for (int64_t k = 0; k < kBins; ++k) {
    const Lanes bin = Lanes::Constant(static_cast<float>(k));
    gamma[k] = Select(number, bin + 1.0f, before, Select(number, bin, here, Lanes::Zero()));
    share[k] = size[k] - kSmallest;  // times 2B − K ω
    mean += share[k] * gamma[k];
  }
  mean /= kShared;
  for (int64_t k = 0; k < kBins; ++k) Block(grad + k * stride) = share[k] * (gamma[k] - mean);
}

void BackwardBlock(const Raw& raw, const float* v, float w, float* grad, float* grad_raw,
                   int64_t stride) {
  Lanes width[kBins], height[kBins];
  Sizes(raw, 0, width);
  Sizes(raw, kBins, height);
  const Lanes at = ConstBlock(v), g = Block(grad);
  Bin bin;
  FindBin(raw, width, height, SplineDirection::kForward, at, &bin);
  Place place;
  PlaceForward(bin, at, &place);
  const Lanes &xi = place.xi, &zeta = place.zeta, &q = place.q, &n = place.n;
  const Lanes &left = bin.kappa_left, &right = bin.kappa_right;
  const Lanes delta = xi * zeta / q, gh = g * bin.height;
  const Lanes n_xi = 2.0f * (right * xi + (zeta - xi) - left * zeta);
  const Lanes q_xi = (left + right - 2.0f) * (zeta - xi);
  const Lanes g_xi = gh * n / q.square() - w * (n_xi / n - 2.0f * q_xi / q);
  const Lanes g_left =
      left * (gh * delta * (1.0f - place.eta) - w * (zeta.square() / n - 2.0f * delta));
  const Lanes g_right = right * (-gh * delta * place.eta - w * (xi.square() / n - 2.0f * delta));
  const Lanes sigma = -w - g_left - g_right;
  const Lanes g_v = g_xi / bin.width;
  SizesBackward(width, bin.number, -g_v, -(sigma + xi * g_xi) / bin.width, grad_raw, stride);
  SizesBackward(height, bin.number, g, g * place.eta + sigma / bin.height,
                grad_raw + kBins * stride, stride);
  const Lanes slope_left = g_left * (1.0f - bin.bent_left.square());
  const Lanes slope_right = g_right * (1.0f - bin.bent_right.square());
  const Lanes zero = Lanes::Zero();
  for (int64_t k = 1; k < kBins; ++k) {
    const Lanes knot = Lanes::Constant(static_cast<float>(k));
    const Lanes part =
        Select(bin.number, knot, slope_left, Select(bin.number, knot - 1.0f, slope_right, zero));
    Block(grad_raw + (2 * kBins + k - 1) * stride) = Select(bin.number, knot + 1.0f, zero, part);
  }
  const Lanes size = at.abs(), bound = Lanes::Constant(kSplineBound);
  Select(size, bound, g.data(), g_v.data(), grad);
  for (int64_t r = 0; r < kSplineOutputs; ++r) {
    float* row = grad_raw + r * stride;
    Select(size, bound, zero.data(), row, row);
  }
}

}  // namespace

void ApplySpline(SplineDirection direction, const ConstTileMap& raw, float* value,
                 double* log_det) {
  const int64_t n = raw.cols();
  for (int64_t first = 0; first < n; first += kBlock) {
    Lanes log_slope;
    ApplyBlock(direction, {raw.data() + first, raw.outerStride()}, value + first, &log_slope);
    const int64_t count = std::min(kBlock, n - first);
    for (int64_t i = 0; i < count; ++i) log_det[first + i] -= static_cast<double>(log_slope[i]);
  }
}

void SplineBackward(const ConstTileMap& raw, const float* v, float det_weight, float* grad,
                    TileMap grad_raw) {
  for (int64_t first = 0; first < raw.cols(); first += kBlock) {
    BackwardBlock({raw.data() + first, raw.outerStride()}, v + first, det_weight, grad + first,
                  grad_raw.data() + first, grad_raw.outerStride());
  }
}

}  // namespace aisivi
