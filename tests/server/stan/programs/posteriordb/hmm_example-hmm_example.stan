// A hidden Markov model of two states with normal emissions, summed over its paths.
data {
  int<lower=0> N;
  int<lower=0> K;
  array[N] real y;
}
parameters {
  simplex[K] theta1;
  simplex[K] theta2;
  positive_ordered[K] mu;
}
model {
  array[2] real forward;
  target += normal_lpdf(mu[1] | 3, 1);
  target += normal_lpdf(mu[2] | 10, 1);
  for (k in 1:2) forward[k] = normal_lpdf(y[1] | mu[k], 1);
  for (t in 2:N) {
    array[2] real next;
    for (k in 1:2) {
      next[k] = log_sum_exp(forward[1] + log(theta1[k]), forward[2] + log(theta2[k]))
                + normal_lpdf(y[t] | mu[k], 1);
    }
    forward = next;
  }
  target += log_sum_exp(forward);
}
