// Counts of categories with a Dirichlet prior; the odds of the first two are derived.
data {
  int<lower=2> K;
  array[K] int<lower=0> n;
  vector<lower=0>[K] a;
}
parameters {
  simplex[K] p;
}
transformed parameters {
  real odds = p[1] / p[2];
}
model {
  p ~ dirichlet(a);
  n ~ multinomial(p);
}
