// What a program can do to those who run it, by number: in the model when stage is 0, in the
// transformed data when it is 1, in the generated quantities when it is 2.
functions {
  real deep(real x, int n);
  real deep(real x, int n) {
    if (n == 0) return x;
    return 1e-9 * x + deep(x, n + 1);
  }
  real act(int what, real x) {
    real r = 0;
    if (what == 1) {
      while (1) r += 1;
    }
    if (what == 2) return deep(x, 1);
    if (what == 3) {
      vector[2000000000] huge = rep_vector(x, 2000000000);
      return sum(huge);
    }
    if (what == 4) {
      for (i in 1:200000) print("x = ", x, " and so on and so on, line ", i);
    }
    if (what == 5) reject("I do not want x = ", x);
    if (what == 6) return not_a_number();
    if (what == 7) {
      for (i in 1:2000000000) for (j in 1:2000000000) r += i * 1e-9;
    }
    return r;
  }
}
data {
  int what;
  int stage;
}
transformed data {
  real done = 0;
  if (stage == 1) done = act(what, 1);
}
parameters {
  real x;
}
model {
  x ~ normal(0, 1);
  if (stage == 0) target += act(what, 1 + 0 * x) * 0;
  if (what == 8) {
    if (x > 1) reject("x is beyond one: ", x);
  }
}
generated quantities {
  real z = 0;
  if (stage == 2) z = act(what, x);
}
