// Counts of categories with a Dirichlet prior; the odds of the first two are derived. Written in
// what Stan 2.21 does not read: array[K] real x.
/* array[2] int y; */
functions {
  array[] real twice(array[] real x) {
    array[size(x)] real y;
    for (i in 1:size(x)) y[i] = 2 * x[i];
    return y;
  }
  real total(array[,] int m, array[] vector v) {
    real s = 0;
    for (row in m) for (e in row) s += e;
    for (u in v) s += sum(u);
    return s;
  }
  real shares_lpdf(vector p, vector a) {
    return dirichlet_lupdf(p | a);
  }
}
data {
  int<lower=2> K; # array[2] real z
  array[K] int<lower=0> n;
  vector<lower=0>[K] a;
}
transformed data {
  int half = K %/% 2;
  array[2, 2] int m = {{1, 2}, {3, 4}};
}
parameters {
  simplex[K] p;
}
transformed parameters {
  real odds = p[1] / p[2];
}
model {
  profile("prior") {
    target += shares_lupdf(p | a);
  }
  profile("likelihood") {
    target += multinomial_lupmf(n | p);
  }
}
generated quantities {
  // Functions of Boost, of real and of whole numbers.
  array[20] real f = {lgamma(2.5), lgamma(K), digamma(2.5), gamma_p(2.5, 1.5), gamma_q(2.5, 1.5),
                      inc_beta(2.0, 3.0, 0.4), owens_t(1.5, 1.0), choose(6, half),
                      bessel_first_kind(1, 2.5), bessel_second_kind(1, 2.5),
                      modified_bessel_first_kind(1, 2.5), modified_bessel_second_kind(1, 2.5),
                      rising_factorial(2.5, 3), falling_factorial(2.5, 2),
                      rising_factorial(2, 3), falling_factorial(5, 2),
                      exp(beta_lpdf(0.4 | 2, 3)), total(m, {p, p}), twice({1.5, 2.5})[2],
                      hypergeometric_rng(3, 3, 4)};
}
