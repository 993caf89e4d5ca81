// Writes the WAVEFORM example data as CSV to standard output: waveform.csv beside this file.
//
// Generator: L. Breiman, J. H. Friedman, R. A. Olshen, C. J. Stone, Classification and Regression
// Trees, Wadsworth 1984, section 2.6.2. Three triangular waves on the points i = 1 … 21,
//   h₁(i) = max(6 − |i − 11|, 0),   h₂(i) = h₁(i − 4),   h₃(i) = h₁(i + 4);
// a row of a class is u h_a(i) + (1 − u) h_b(i) + N(0, 1) noise with one u ~ U(0, 1) for the row
// and the class's own pair (a, b): class 1 (h₁, h₂), class 2 (h₁, h₃), class 3 (h₂, h₃).
//
// Here: classes 1 (y = 0) and 2 (y = 1), equally likely; 400 rows; every feature standardised over
// the rows (divisor 400); an intercept column x0 of ones first. The same bytes on every platform:
// std::mt19937_64 is fixed by the standard, and figures have 6 decimals.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

namespace {

constexpr int kRows = 400;
constexpr int kFeatures = 21;
constexpr uint64_t kSeed = 1984;

struct Row {
  int y;
  std::array<double, kFeatures> x;
};

class Random {
 public:
  // Uniform on the open interval (0, 1): the middle of one of 2⁵² cells.
  double Uniform() { return (static_cast<double>(generator_() >> 12) + 0.5) * 0x1p-52; }

  // Standard normal, Box & Muller 1958.
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(Uniform()));
    return radius * std::cos(2 * 3.14159265358979323846 * Uniform());
  }

 private:
  std::mt19937_64 generator_{kSeed};
};

double Wave(int centre, int i) { return std::fmax(6.0 - std::abs(i - centre), 0.0); }

Row DrawRow(Random& random) {
  constexpr int kCentre1 = 11, kCentre2 = 15, kCentre3 = 7;
  Row row;
  row.y = random.Uniform() < 0.5 ? 0 : 1;
  const int other = row.y == 0 ? kCentre2 : kCentre3;
  const double u = random.Uniform();
  for (int i = 1; i <= kFeatures; ++i) {
    row.x[i - 1] = u * Wave(kCentre1, i) + (1 - u) * Wave(other, i) + random.Normal();
  }
  return row;
}

void Standardise(std::vector<Row>& rows) {
  for (int f = 0; f < kFeatures; ++f) {
    double mean = 0, square = 0;
    for (const Row& row : rows) mean += row.x[f] / kRows;
    for (const Row& row : rows) square += (row.x[f] - mean) * (row.x[f] - mean) / kRows;
    for (Row& row : rows) row.x[f] = (row.x[f] - mean) / std::sqrt(square);
  }
}

}  // namespace

int main() {
  Random random;
  std::vector<Row> rows;
  for (int i = 0; i < kRows; ++i) rows.push_back(DrawRow(random));
  Standardise(rows);
  std::printf("y,x0");
  for (int f = 1; f <= kFeatures; ++f) std::printf(",x%d", f);
  std::printf("\n");
  for (const Row& row : rows) {
    std::printf("%d,1", row.y);
    for (double x : row.x) std::printf(",%.6f", x);
    std::printf("\n");
  }
  return 0;
}
