// Log earnings on height and sex (Gelman and Hill, chapter 4); flat priors.
data {
  int<lower=0> N;
  vector[N] earn;
  vector[N] height;
  vector[N] male;
}
parameters {
  vector[3] beta;
  real<lower=0> sigma;
}
model {
  log(earn) ~ normal(beta[1] + beta[2] * height + beta[3] * male, sigma);
}
