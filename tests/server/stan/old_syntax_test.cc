#include "server/stan/old_syntax.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

// Without spaces, which are free.
std::string Dense(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

TEST(OldSyntaxTest, DeclarationsOfAllTypes) {
  const std::vector<std::pair<std::string, std::string>> kCases = {
      {"array[N] real x;", "real x[N];"},
      {"array [ N ] real x;", "real x[ N ];"},
      {"array[N, M] vector[K] y;", "vector[K] y[N, M];"},
      {"array[N] int<lower=0, upper=K> n;", "int<lower=0, upper=K> n[N];"},
      {"array[N] vector<lower=0>[K] v;", "vector<lower=0>[K] v[N];"},
      {"array[N] vector<lower=min(a), upper=b[1]>[K] v;",
       "vector<lower=min(a), upper=b[1]>[K] v[N];"},
      {"array[N] real<offset=m, multiplier=s> z;", "real<offset=m, multiplier=s> z[N];"},
      {"array[N] row_vector[K] r;", "row_vector[K] r[N];"},
      {"array[N] matrix[K, L] m;", "matrix[K, L] m[N];"},
      {"array[N] simplex[K] p;", "simplex[K] p[N];"},
      {"array[N] unit_vector[K] u;", "unit_vector[K] u[N];"},
      {"array[N] ordered[K] o;", "ordered[K] o[N];"},
      {"array[N] positive_ordered[K] o;", "positive_ordered[K] o[N];"},
      {"array[N] corr_matrix[K] o;", "corr_matrix[K] o[N];"},
      {"array[N] cov_matrix[K] o;", "cov_matrix[K] o[N];"},
      {"array[N] cholesky_factor_corr[K] L;", "cholesky_factor_corr[K] L[N];"},
      {"array[N] cholesky_factor_cov[K, M] L;", "cholesky_factor_cov[K, M] L[N];"},
      {"array[n[1], size(x)] real y;", "real y[n[1], size(x)];"},
      {"array[3] real x = {1, 2, 3};", "real x[3] = {1, 2, 3};"},
      {"array[N] int idx = sort_indices_asc(a[1]);", "int idx[N] = sort_indices_asc(a[1]);"},
      {"{array[2] real a; array[3] real b;}", "{real a[2]; real b[3];}"},
  };
  for (const auto& [now, old] : kCases) EXPECT_EQ(Dense(WithOldSyntax(now)), Dense(old)) << now;
}

TEST(OldSyntaxTest, ArgumentsAndResultsOfFunctions) {
  const std::vector<std::pair<std::string, std::string>> kCases = {
      {"real f(array[] real x)", "real f(real[] x)"},
      {"real f(array[,] int x, vector v)", "real f(int[,] x, vector v)"},
      {"real f(data array[ , , ] vector x)", "real f(data vector[ , , ] x)"},
      {"array[] real f(real t, array[] real y)", "real[] f(real t, real[] y)"},
      {"array[,] matrix g()", "matrix[,] g()"},
  };
  for (const auto& [now, old] : kCases) EXPECT_EQ(Dense(WithOldSyntax(now)), Dense(old)) << now;
}

TEST(OldSyntaxTest, DensitiesProfilesAndWholeDivision) {
  const std::pair<const char*, const char*> kCases[] = {
      {"target += normal_lupdf(x | 0, 1) + my_lupmf(n | 2);",
       "target += normal_lpdf(x | 0, 1) + my_lpmf(n | 2);"},
      {"real f_lupdf2 = lupdf + x_lupdfs;", "real f_lupdf2 = lupdf + x_lupdfs;"},
      {"profile(\"a {\") { x ~ normal(0, 1); }", " { x ~ normal(0, 1); }"},
      {"profile ( // b\n \"a\" )\n{", "\n\n{"},
      {"real profile = profile(2) + profile;", "real profile = profile(2) + profile;"},
      {"profile(\"a\"", "profile(\"a\""},
      {"int h = N %/% 2 % 3;", "int h = N / 2 % 3;"},
      {"// n_lupdf %/% profile(\"a\") {", "// n_lupdf %/% profile(\"a\") {"},
      {"print(\"n_lupdf %/%\");", "print(\"n_lupdf %/%\");"},
  };
  for (const auto& [now, old] : kCases) EXPECT_EQ(WithOldSyntax(now), old);
}

TEST(OldSyntaxTest, NamesWhatIsNewer) {
  EXPECT_EQ(NewerNames("x ~ normal(0, 1); // ode_rk45\nprint(\"reduce_sum\"); a .* b;"), "");
  EXPECT_EQ(NewerNames("my_ode_rk45 + ode_rk45s + 2ode_rk45 + ode_rk45_"), "");
  EXPECT_EQ(NewerNames("y = ode_rk45(f, y0); z = ode_rk45(f, z0) .^ 2; reduce_sum"),
            "ode_rk45, .^, reduce_sum");
  EXPECT_EQ(NewerNames(""), "");
  EXPECT_EQ(NewerNames("."), "");
}

TEST(OldSyntaxTest, WhatIsNoDeclarationStays) {
  for (const std::string text : {"real x[N];",
                                 "int array;",
                                 "array[1] = 3;",
                                 "y = array[2] + real_array[3];",
                                 "// array[N] real x;",
                                 "/* array[N] real x; */",
                                 "# array[N] real x;",
                                 "print(\"array[N] real x\");",
                                 "my_array[N] real",
                                 "array_x[2] real",
                                 "array",
                                 "array[",
                                 "array[N",
                                 "array[N]",
                                 "array[N] real",
                                 "array[N] real<lower=0",
                                 "array[N] vector[K",
                                 "array[N] tuple(real, int) x;",
                                 "x2array[3] real y",
                                 "array[N)] real x;",
                                 "\"array[",
                                 ""}) {
    EXPECT_EQ(WithOldSyntax(text), text);
  }
}

TEST(OldSyntaxTest, LinesAndCommentsStayWhereTheyAre) {
  EXPECT_EQ(WithOldSyntax("array[N] // how many ]\n real x; // y\narray[2] int a;"),
            " // how many ]\n real x[N]; // y\n int a[2];");
  const std::string split = "array[N,\n      M]\n  vector[K]\n  y;\nint k;";
  const std::string old = WithOldSyntax(split);
  EXPECT_EQ(std::count(old.begin(), old.end(), '\n'), 4);
  EXPECT_EQ(old.substr(old.rfind('\n')), "\nint k;");
  EXPECT_EQ(Dense(old), "\nvector[K]\ny[N,\nM];\nintk;");
}

TEST(OldSyntaxTest, NothingIsReadBeyondTheEnd) {
  const std::string program = "array[N, M] vector<lower=(0)>[K] y; /* c */ \"s\"";
  for (size_t length = 0; length <= program.size(); ++length) {
    // A copy of just this length: sanitizers see what is read after it.
    const std::string part(program.data(), length);
    EXPECT_GE(WithOldSyntax(part).size() + sizeof("array"), part.size());
  }
}

}  // namespace
}  // namespace aisivi::server
