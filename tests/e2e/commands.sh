#!/bin/bash
# Every command of aisivi against a real server, on small fits.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"

echo "fit --json prints objects, the last being the fit"
aisivi fit --target banana "${quick[@]}" --seed 3 --json >events
last=$(tail -n 1 events)
name=$(json_field name "$last")
[[ $name == fits/* ]] || die "no name in: $last"
[[ $(json_field state "$last") == STATE_SUCCEEDED ]] || die "not succeeded: $last"
(($(wc -l <events) > 1)) || die "no progress was printed"
! grep -qv '^{.*}$' events || die "not JSON: $(grep -v '^{.*}$' events | head -n 1)"
expect_match '"phase":"PHASE_TRAINING"' events

echo "fit prints plain lines where there is no terminal, and a bar where there is one"
aisivi fit --target banana "${quick[@]}" >lines
expect_match '^training +[0-9]+/60' lines
expect_match 'log evidence' lines
! grep -q $'\x1b\|\r' lines || die "control characters in plain output"
fits=4  # of this test until the list is looked at
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
  TERM=xterm script -qec "aisivi fit --target banana ${quick[*]}" /dev/null >bar </dev/null
  fits=5
  grep -q $'\r.*training' bar || die "no bar on a terminal"
  grep -q $'\x1b\[1m' bar || die "no colours on a terminal"
  NO_COLOR=1 TERM=xterm script -qec "aisivi get $name" /dev/null >plain </dev/null
  ! grep -q $'\x1b\[[0-9]*m' plain || die "colours in spite of NO_COLOR"
else
  echo "  (no pseudo-terminals here: the bar is not looked at)"
fi

echo "the same seed gives the same result, another one another"
aisivi fit --target banana "${quick[@]}" --seed 3 --json | tail -n 1 >again
aisivi fit --target banana "${quick[@]}" --seed 4 --json | tail -n 1 >other
[[ $(json_field logZ "$(cat again)") == "$(json_field logZ "$last")" ]] || die "seed 3 differs"
[[ $(json_field logZ "$(cat other)") != "$(json_field logZ "$last")" ]] || die "seed 4 is the same"

echo "evidence carries its numbers as JSON numbers"
evidence=$(aisivi evidence "$name" --json)
for field in elboLower elboUpper logZ standardError ess; do
  grep -qE "\"$field\":-?[0-9]" <<<"$evidence" || die "$field is no number in $evidence"
done
grep -qE '"paretoK":("-Infinity"|-?[0-9])' <<<"$evidence" || die "no paretoK in $evidence"
# log Z of the banana is 0; the fit is a rough one.
within "$(json_field logZ "$evidence")" -1 1 || die "log Z is off: $evidence"
within "$(json_field elboLower "$evidence")" -5 0.5 || die "the ELBO is off: $evidence"
aisivi evidence "$name" --draws 300 --inner_samples 8 --json | grep -q '"draws":"300"' ||
  die "--draws is not honoured"
aisivi evidence "$name" >text
expect_match 'ELBO between' text

echo "the verdict, in words and in JSON"
for field in gap sandwich_width log_z_standard_error ess_share pareto_k non_finite_share; do
  expect_match "^ +$field +[-0-9.e]+ +(≤|≥) [0-9.]+ +(≤|≥) [0-9.]+ +(good|usable|do not trust)$" text
  grep -q "\"name\":\"$field\",[^}]*\"value\":" <<<"$evidence" || die "no $field in $evidence"
done
expect_match '^ +verdict +(Good|Usable with care|Do not trust): ' text
grep -qE '"verdict":\{"grade":"GRADE_(GOOD|USABLE|DO_NOT_TRUST)"' <<<"$last" || die "no verdict: $last"
grep -qE '"verdict":\{"grade":"GRADE_(GOOD|USABLE|DO_NOT_TRUST)"' <<<"$evidence" || die "no verdict"
aisivi get "$name" >text
expect_match '^ +verdict +(Good|Usable with care|Do not trust): ' text
expect_match '^ +score_residual +[0-9.e]+ +≤ 1 +any +(good|usable)$' text

echo "draws are CSV in CmdStan's layout, and the same for the same seed"
aisivi draws "$name" --count 50 --seed 7 --out draws.csv
[[ ! -e draws.csv.partial ]] || die "a partial file is left"
expect_match '^# method = variational$' draws.csv
grep -v '^#' draws.csv >rows
[[ $(head -n 1 rows) == lp__,log_p__,log_g__,* ]] || die "header: $(head -n 1 rows)"
(($(wc -l <rows) == 52)) || die "not a header, a mean and 50 draws"
awk -F, 'NR > 1 && NF != 5 { exit 1 }' rows || die "a row has not 5 cells"
[[ $(sed -n 2p rows) == 0,0,0,* ]] || die "the first row is not the mean"
aisivi draws "$name" --count 50 --seed 7 | cmp - draws.csv || die "standard output differs"
aisivi draws "$name" --count 50 --seed 8 | grep -v '^#' | tail -n 1 >other_row
[[ $(cat other_row) != "$(tail -n 1 rows)" ]] || die "another seed gives the same draws"
aisivi draws "$name" --count 3 --json | grep -q '"coordinateNames":\["' || die "draws --json"

# No training: q is N(0, 1) whatever the target.
untrained=(--set warm_start=none --set iterations=0 --set evidence_draws=500 --json)

echo "the scale of the parameters, and that of z"
schools=$(json_field name "$(aisivi fit --target eight_schools "${untrained[@]}" | tail -n 1)")
aisivi get "$schools" >text
expect_match '^ +parameters +mu, tau, eta\[8\], theta\[8\] \(derived\)$' text
for resample in "" "--resample --force"; do
  # shellcheck disable=SC2086
  aisivi draws "$schools" --count 5 --seed 3 $resample >shown.csv
  # shellcheck disable=SC2086
  aisivi draws "$schools" --count 5 --seed 3 $resample --unconstrained >z.csv
  expect_match '^lp__,log_p__,log_g__,mu,tau,eta.1,.*,eta.8,theta.1,.*,theta.8$' shown.csv
  expect_match '^lp__,log_p__,log_g__,mu,log_tau,eta.1,.*,eta.8$' z.csv
  paste -d, <(grep -v '^#' shown.csv | cut -d, -f 5) <(grep -v '^#' z.csv | cut -d, -f 5) |
    awk -F, 'NR > 2 { d = log($1) - $2; if (d * d > 1e-18) exit 1 }' || die "tau is not e^log_tau"
done
aisivi summary "$schools" >text
expect_match '^tau ' text
expect_match '^theta\[8\] ' text
aisivi summary "$schools" --unconstrained --json --covariance >json
expect_match '"name":"log_tau"' json
expect_match '^\{"rows":10,"columns":10,' json
aisivi plot "$schools" --pairs 'tau,theta[1]' --count 200 --out scale.png
aisivi plot "$schools" --pairs log_tau,eta.1 --count 200 --unconstrained --out scale.png
expect_failure 1 "INVALID_ARGUMENT: --pairs: .*'log_tau'" \
  aisivi plot "$schools" --pairs log_tau --out scale.png
aisivi targets eight_schools --check >text
expect_match '^parameters: mu, tau, eta\[8\], theta\[8\] \(derived\)$' text
aisivi delete "$schools" >/dev/null

echo "resampled draws"
shifted=$(json_field name "$(aisivi fit --target gaussian --param mean=0.7 --param covariance=0.64 \
  "${untrained[@]}" | tail -n 1)")
aisivi draws "$shifted" --count 3000 --seed 2 >plain.csv
aisivi draws "$shifted" --count 3000 --seed 2 --resample --out resampled.csv
mean_of() { grep -v '^#' "$1" | awk -F, 'NR > 2 { s += $4; ++n } END { print s / n }'; }
within "$(mean_of plain.csv)" -0.1 0.1 || die "the mean of q is not 0: $(mean_of plain.csv)"
within "$(mean_of resampled.csv)" 0.63 0.77 || die "the mean is not 0.7: $(mean_of resampled.csv)"
within "$(grep -v '^#' resampled.csv | sed -n 2p | cut -d, -f 4)" 0.63 0.77 || die "the first row"
expect_match '^# +importance_resampled = 1$' resampled.csv
far=$(json_field name "$(aisivi fit --target gaussian --param mean=5 --param covariance=1 \
  "${untrained[@]}" | tail -n 1)")
aisivi get "$far" >text
expect_match 'verdict +Do not trust: ' text
expect_failure 1 'FAILED_PRECONDITION: resample: .*Pareto k' aisivi draws "$far" --resample --out no.csv
[[ ! -e no.csv && ! -e no.csv.partial ]] || die "a file of draws that were refused"
aisivi draws "$far" --count 20 --resample --force | grep -v '^#' >rows_forced
(($(wc -l <rows_forced) == 22)) || die "not a header, a mean and 20 draws"
expect_failure 2 'INVALID_ARGUMENT: .*--resample' aisivi draws "$far" --force
aisivi delete "$shifted" >/dev/null
aisivi delete "$far" >/dev/null

echo "the best Gaussian, untrained"
aisivi fit --target gaussian --method gaussian --param mean=1,2 --param 'covariance=2,0.5;0.5,1' \
  --set evidence_draws=2000 --json | tail -n 1 >json
expect_match '"method":\{"gaussian":' json
expect_match '"effectiveSettings":.*"iterations":"0"' json
within "$(json_field logZ "$(cat json)")" -0.01 0.01 || die "log Z is off: $(cat json)"
grep -q '"verdict":{"grade":"GRADE_GOOD"' json || die "not good: $(cat json)"
aisivi delete "$(json_field name "$(cat json)")" >/dev/null

echo "a reference by sampling"
aisivi fit --target banana --method reference --set evidence_draws=2000 --json >events
expect_match '"phase":"PHASE_SAMPLING"' events
tail -n 1 events >json
expect_match '"method":\{"reference":' json
expect_match '"terminationReason":"TERMINATION_REASON_CONVERGED"' json
within "$(json_field logZ "$(cat json)")" -0.15 0.15 || die "log Z is off: $(cat json)"
grep -qE '"verdict":\{"grade":"GRADE_(GOOD|USABLE)"' json || die "not to be trusted: $(cat json)"
reference=$(json_field name "$(cat json)")
aisivi get "$reference" >text
expect_match '^ +draws +2000, worth [0-9]+ independent ones$' text
expect_match '^ +r_hat +[0-9.]+ +≤ 1.01 +≤ 1.05 +(good|usable)$' text
! grep -q 'ELBO between' text || die "bounds of no q: $(cat text)"
aisivi draws "$reference" --count 2000 --out reference.csv
(($(grep -vc '^#' reference.csv) == 2002)) || die "not a header, a mean and 2000 draws"
aisivi summary "$reference" >text
expect_match '^from 20000 draws$' text
expect_failure 1 'FAILED_PRECONDITION: name: fits/.* has no density' \
  aisivi logq "$reference" --point 0,-1
expect_failure 1 'FAILED_PRECONDITION: name: fits/.* has no density' aisivi evidence "$reference"
expect_failure 1 'INVALID_ARGUMENT: fit.start.restarts' \
  aisivi fit --target banana --method reference --restarts 2
aisivi plot "$reference" --out reference.png
aisivi delete "$reference" >/dev/null

echo "update"
aisivi update "$name" --display_name mine --label owner=ann --label team=blue >text
expect_match '^ +called +mine$' text
expect_match '^ +labels +owner=ann, team=blue$' text
aisivi update "$name" --label team= --expire_in 1000 >text
expect_match '^ +labels +owner=ann$' text
expect_match '^ +expires +2' text
aisivi update "$name" --expire_in 0 --json >json
! grep -q expireTime json || die "still to expire: $(cat json)"
expect_failure 1 'INVALID_ARGUMENT: --display_name' aisivi update "$name"
expect_failure 1 'INVALID_ARGUMENT: fit\.labels' aisivi update "$name" --label Owner=ann
expect_failure 1 'NOT_FOUND: ' aisivi update nonesuch --display_name x

echo "summary"
aisivi summary "$name" >text
expect_match '^NAME +MEAN +SD +2.5 % +50 % +97.5 %$' text
aisivi summary "$name" --quantiles 0.1,0.9 --covariance --count 500 --json >json
expect_match '"probabilities":\[0.1,0.9\]' json
expect_match '^\{"rows":2,"columns":2,"values":' json

echo "logq"
aisivi logq "$name" --point 0,-1 --point=-1,-2 >text
(($(wc -l <text) == 3)) || die "not two points: $(cat text)"
printf '0,-1\n-1,-2\n' >points.csv
aisivi logq "$name" --points points.csv --json >json
expect_match '^\{"first":"0","logQ":\[-?[0-9.]+,-?[0-9.]+\],"lower":\[.*\],"upper":\[.*\]\}$' json

echo "plot"
aisivi plot "$name" --out picture.png
[[ $(head -c 4 picture.png | tail -c 3) == PNG ]] || die "no PNG"
aisivi plot "$name" --out one.png --pairs "$(head -n 1 rows | cut -d, -f 4)" --count 200
[[ -s one.png ]] || die "no picture of one coordinate"

echo "targets"
aisivi targets >text
for target in banana multimodal x_shaped gaussian gaussian_mixture logistic_regression \
  conditioned_diffusion; do
  expect_match "^$target " text
done
aisivi targets --version | grep -qE '^aisivi-server [0-9.]+, engine for (x86-64-v[234]|generic), numbers [0-9a-f]{16}$' ||
  die "$(aisivi targets --version)"
aisivi targets logistic_regression >text
expect_match '--param prior_precision' text
aisivi targets --json >json
expect_match '"name":"banana"' json
aisivi targets conditioned_diffusion --check --param steps=20 --param observations=0.1,0.2 >text
expect_match '20 dimensions' text

echo "get and list"
aisivi get "${name#fits/}" >text
expect_match "^$name +succeeded" text
aisivi list >text
(($(wc -l <text) == fits + 1)) || die "not a header and $fits fits: $(cat text)"
aisivi list --filter state=FAILED >text
expect_match '^no fits$' text
(($(aisivi list --limit 2 --json | wc -l) == 2)) || die "--limit"

echo "a spec file, other targets, and data"
printf '{"target": {"conditionedDiffusion": {"steps": 20, "observations": [0.1, 0.3]}}}' >spec.json
aisivi fit --spec spec.json "${quick[@]}" --json | tail -n 1 | grep -q '"dimension":20' ||
  die "the spec was not taken"
aisivi fit --spec - "${quick[@]}" --json <spec.json | tail -n 1 | grep -q '"dimension":20' ||
  die "the spec was not read from standard input"
aisivi fit --target gaussian --param mean=1,2 --param 'covariance=2,0.5;0.5,1' "${quick[@]}" \
  --json | tail -n 1 >json
aisivi summary "$(json_field name "$(cat json)")" --json >summary
within "$(json_field mean "$(cat summary)")" 0.8 1.2 || die "the mean is off: $(cat summary)"
aisivi fit --target logistic_regression --data "$root/deploy/data/challenger.csv" \
  --param prior_precision=0.1 --method bsivi "${quick[@]}" --json | tail -n 1 >json
expect_match '"method":\{"bsivi":' json
aisivi fit --target banana --validate_only "${quick[@]}" >text
expect_match '^valid$' text

echo "detach, watch, cancel, delete"
running=$(aisivi fit "${endless[@]}" --detach)
[[ $running == fits/* ]] || die "no name: $running"
aisivi watch "$running" --json >watched 2>watch_errors &
watcher=$!
wait_until "an event" test -s watched
curl -fsS --noproxy '*' "http://$metrics_address/metrics" >scrape
expect_match "^aisivi_fit_iteration\{fit=\"$running\"\}" scrape
cancel_and_wait "$running"
grep -q "^$running  " cancelled || die "cancel printed: $(cat cancelled)"
code=0
wait "$watcher" || code=$?
((code == 1)) || die "watching a cancelled fit exits with $code"
tail -n 1 watched | grep -q '"state":"STATE_CANCELLED"' || die "the last event is not the cancelled fit"
curl -fsS --noproxy '*' "http://$metrics_address/metrics" >scrape
! grep -q '^aisivi_fit_' scrape || die "training series outlive their fit"
aisivi delete "$name" >text
expect_match deleted text
expect_failure 1 "NOT_FOUND.*$name" aisivi get "$name"

echo "Ctrl-C leaves the fit running"
running=$(aisivi fit "${endless[@]}" --detach)
# A background job of a script ignores SIGINT unless it is told otherwise.
env --default-signal=INT aisivi watch "$running" >interrupted 2>interrupted_errors &
watcher=$!
wait_until "an event" test -s interrupted
kill -INT "$watcher"
code=0
wait "$watcher" || code=$?
((code == 130)) || die "after Ctrl-C the exit code is $code"
expect_match "aisivi watch $running" interrupted_errors
has_state "$running" RUNNING || die "the fit does not run on"
aisivi cancel "$running" >/dev/null

stop_server
echo PASSED
