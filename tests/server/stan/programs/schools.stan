// Eight schools, centred: theta is a parameter.
data {
  int<lower=1> J;
  array[J] real y;
  array[J] real<lower=0> s;
}
parameters {
  real mu;
  real<lower=0> tau;
  array[J] real theta;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 5);
  theta ~ normal(mu, tau);
  y ~ normal(theta, s);
}
