#!/bin/bash
# Stan programs from the command line: checked, fitted, refused; and one that ends badly ends its own
# fit alone.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
without_namespaces=$2
start_server
cd "$work"
examples=$root/deploy/examples

echo "the target is listed, and this server can fit it"
aisivi targets stan >listed
expect_match 'unconstrained parameters of the program' listed
! grep -q 'not on this server' listed || die "$(cat listed)"

echo "checked: the gradient, and what draws are shown as"
aisivi targets stan --check --stan "$examples/eight_schools.stan" \
  --data "$examples/eight_schools.json" >checked
expect_match '^stan: 10 dimensions, scores and finite differences agree' checked
expect_match '^parameters: mu, tau, .*theta\[8\] \(derived\)' checked

echo "fitted, and compiled once: log Z as that of the built-in target, whose tau is half-Cauchy"
fit=(aisivi fit --set iterations=300 --json)
"${fit[@]}" --stan "$examples/eight_schools.stan" --data "$examples/eight_schools.json" >stan.json
[[ $(find "$work/data/stan" -maxdepth 1 -type f | wc -l) == 1 ]] || die "$(ls -l "$work/data/stan")"
"${fit[@]}" --target eight_schools >builtin.json
log_z() { tail -n 1 "$1" | sed 's/.*"logZ":\(-\?[0-9.]*\).*/\1/'; }
# A half-Cauchy density is twice that of a Cauchy.
awk -v a="$(log_z stan.json)" -v b="$(log_z builtin.json)" \
  'BEGIN { d = a + log(2) - b; exit !(a != "" && d * d < 0.04) }' ||
  die "log Z is $(log_z stan.json), of the built-in target $(log_z builtin.json)"

echo "what the compiler says keeps its lines, with the caret below"
printf 'parameters {\n  real x\n}\nmodel {\n}\n' >wrong.stan
! aisivi fit --stan wrong.stan 2>error || die "it was fitted"
expect_match '^aisivi: INVALID_ARGUMENT: fit\.target\.stan\.program: ' error
expect_match '^ +\^' error

echo "wrong data and includes"
echo '{"J": 8, "y": [28, 8, -3, 7, -1, 1, 18, 12]}' >wrong.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.stan\.data: .*sigma' \
  aisivi fit --stan "$examples/eight_schools.stan" --data wrong.json
echo '#include secret.stan' >include.stan
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.stan\.program: line 1: #include' \
  aisivi fit --stan include.stan

echo "a program that crashes in the course of a fit fails that fit with a reason"
cat >crash.stan <<'END'
functions {
  real deep(real x);
  real deep(real x) {
    return 1 + deep(x + 1);
  }
}
parameters {
  real x;
}
model {
  x ~ normal(0, 1);
  if (fabs(x) > 2.5) target += deep(1);
}
END
! aisivi fit --stan crash.stan --set iterations=300 >crash.out 2>&1 || die "$(cat crash.out)"
grep -q 'crashed (Segmentation fault)' crash.out || die "$(cat crash.out)"
aisivi fit --target banana --set iterations=50 >banana.out
stop_server

echo "where there is no Stan, and where bubblewrap cannot work"
start_server --stan_home /no/such/folder
aisivi targets stan >listed
expect_match 'not on this server: no compiler for Stan' listed
expect_failure 1 'FAILED_PRECONDITION: .*--stan_home' aisivi fit --stan "$examples/eight_schools.stan"
stop_server
mkdir contained
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$without_namespaces" "$(command -v aisivi-server)" \
  >contained/aisivi-server
chmod +x contained/aisivi-server
PATH=$PWD/contained:$PATH
start_server
expect_failure 1 'FAILED_PRECONDITION: .*No permissions to create new namespace.*--stan_sandbox none' \
  aisivi fit --stan "$examples/eight_schools.stan" --data "$examples/eight_schools.json"
stop_server
start_server --stan_sandbox none
aisivi targets stan --check --stan "$examples/eight_schools.stan" \
  --data "$examples/eight_schools.json" >checked
expect_match '^stan: 10 dimensions' checked
stop_server
echo PASSED
