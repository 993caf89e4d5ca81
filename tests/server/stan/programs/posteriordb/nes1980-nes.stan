// Party identification on ideology, race, age group, education, sex and income (Gelman and Hill,
// chapter 4).
data {
  int<lower=0> N;
  vector[N] partyid7;
  vector[N] real_ideo;
  vector[N] race_adj;
  vector[N] educ1;
  vector[N] gender;
  vector[N] income;
  array[N] int age_discrete;
}
transformed data {
  matrix[N, 9] x;
  for (n in 1:N) {
    x[n] = [1, real_ideo[n], race_adj[n], age_discrete[n] == 2, age_discrete[n] == 3,
            age_discrete[n] == 4, educ1[n], gender[n], income[n]];
  }
}
parameters {
  vector[9] beta;
  real<lower=0> sigma;
}
model {
  partyid7 ~ normal(x * beta, sigma);
}
