// Linear regression with unknown noise.
data {
  int<lower=1> N;
  int<lower=1> P;
  matrix[N, P] x;
  vector[N] y;
}
parameters {
  real alpha;
  vector[P] beta;
  real<lower=0> sigma;
}
model {
  alpha ~ normal(0, 10);
  beta ~ normal(0, 2);
  sigma ~ exponential(0.5);
  y ~ normal(alpha + x * beta, sigma);
}
generated quantities {
  array[N] real y_rep = normal_rng(alpha + x * beta, sigma);
}
