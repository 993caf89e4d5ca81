// The weight of mesquite bushes on their measures, all in logarithms (Gelman and Hill, chapter 4).
data {
  int<lower=0> N;
  vector[N] weight;
  vector[N] diam1;
  vector[N] diam2;
  vector[N] canopy_height;
  vector[N] total_height;
  vector[N] density;
  vector[N] group;
}
parameters {
  vector[7] beta;
  real<lower=0> sigma;
}
model {
  log(weight) ~ normal(beta[1] + beta[2] * log(diam1) + beta[3] * log(diam2)
                       + beta[4] * log(canopy_height) + beta[5] * log(total_height)
                       + beta[6] * log(density) + beta[7] * group, sigma);
}
