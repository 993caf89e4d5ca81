#!/bin/bash
# aisivi experiment: starts a server of its own, survives being killed half way, stops on Ctrl-C, uses
# a server that is named, and says what is wrong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$work"
unset AISIVI_SERVER || true
# Enough to go through every phase.
tiny=(--set iterations=20 --set inner_samples=16 --set chunks=1 --set flow_pretrain_iterations=0
  --set warm_start=gaussian --set evidence_draws=200 --set evidence_inner_samples=32)
toy=(aisivi experiment toy --out toy --seeds 1 "${tiny[@]}")

# The file $2 has $1 lines; dies when the process $experiment has ended instead.
has_lines() {
  [[ -e $2 ]] && (($(wc -l <"$2") >= $1)) && return
  kill -0 "$experiment" 2>/dev/null || die "the experiment has ended"
  return 1
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }
# The server that a running experiment has started.
child_of() { pgrep -P "$1" aisivi-server; }

echo "killed half way"
"${toy[@]}" >lines &
experiment=$!
wait_until "three results" has_lines 4 toy/results.csv
child=$(child_of "$experiment")
kill -KILL "$experiment"
wait "$experiment" 2>/dev/null || true
wait_until "the end of the server" is_gone "$child"
[[ ! -e toy/report.md ]] || die "it was killed too late"
expect_match '^1/18  banana, aisivi, authors. preset, seed 1:  forward_kl .*, ELBO .*, log Z ' lines
! grep -q $'\x1b\|\r' lines || die "control characters in plain output"

echo "a second call goes on where it stopped"
before=$(($(wc -l <toy/results.csv) - 1))
printf 'toy,banana,ai' >>toy/results.csv
"${toy[@]}" >lines
expect_match "^$before of 18 are done already\$" lines
(($(grep -c '^[0-9]*/18  ' lines) == 18 - before)) || die "not the rest was run: $(cat lines)"
expect_match '^report written to toy/report.md$' lines
(($(wc -l <toy/results.csv) == 19)) || die "not a header and 18 results"
(($(cut -d, -f 2-6 toy/results.csv | sort -u | wc -l) == 19)) || die "a fit was run twice"
! grep -qv ',SUCCEEDED,\|^experiment,' toy/results.csv || die "a fit failed: $(cat toy/results.csv)"
expect_match '^# Two-dimensional targets$' toy/report.md
expect_match '^\| x_shaped \| bsivi, authors. preset \| 0.0034 \| ' toy/report.md
(($(grep -c '^| .* | 0 | equal |$' toy/report.md) == 3)) || die "chunks are not one batch"
(($(wc -l <toy/toy.csv) == 13)) || die "not a header and 12 rows"
for picture in toy toy_kl; do
  [[ $(head -c 4 "toy/$picture.png" | tail -c 3) == PNG ]] || die "no $picture.png"
  expect_match '</svg>' "toy/$picture.svg"
  expect_match "\($picture\.png\)" toy/report.md
done
compgen -G 'toy/server-*' >/dev/null && die "the server's folder is left"
cp toy/report.md report_before
"${toy[@]}" >lines
expect_match '^18 of 18 are done already$' lines
cmp report_before toy/report.md || die "another report from the same results"

echo "Ctrl-C ends it and its server, and keeps what is done"
# A background job of a script ignores SIGINT unless it is told otherwise.
env --default-signal=INT aisivi experiment significance --out stopped \
  --set iterations=10000000 --set points=16 >/dev/null 2>err &
experiment=$!
server_runs() { child_of "$experiment" >child; }
wait_until "its server" server_runs
kill -INT "$experiment"
code=0
wait "$experiment" || code=$?
((code == 130)) || die "after Ctrl-C the exit code is $code: $(cat err)"
expect_match '^aisivi: stopped; the same command goes on where it stopped$' err
is_gone "$(cat child)" || die "its server is left"
compgen -G 'stopped/server-*' >/dev/null && die "the server's folder is left"

echo "a bar where there is a terminal"
if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
  TERM=xterm script -qec "aisivi experiment significance --out bar --seeds 2 --target multimodal \
    ${tiny[*]}" /dev/null >bar.log </dev/null
  grep -q $'^1/4  multimodal, aisivi, seed 1\r*$' bar.log || die "not what runs: $(cat bar.log)"
  grep -q $'\r.*[─━]' bar.log || die "no bar on a terminal"
  grep -q '4/4  multimodal, bsivi, seed 2:  ELBO ' bar.log || die "no result: $(cat bar.log)"
else
  echo "  (no pseudo-terminals here: the bar is not looked at)"
fi

echo "a server that is named"
start_server
aisivi experiment significance --out significance --methods aisivi,gaussian --target multimodal \
  --seeds 3 "${tiny[@]}" >lines
expect_match '^6/6  multimodal, gaussian, seed 3:  ELBO ' lines
expect_match '^## Verdict$' significance/report.md
[[ -s significance/significance.png && -s significance/significance.svg ]] || die "no picture"
aisivi list >text
expect_match '^no fits$' text
aisivi experiment convergence --out convergence "${tiny[@]}" --json >lines
expect_match '^\{.*"state":"STATE_SUCCEEDED".*\}$' lines
(($(wc -l <lines) == 4)) || die "not an object per fit: $(cat lines)"
expect_match '^banana, aisivi, defaults, seed 1: ' convergence/report.md
[[ -s convergence/convergence_banana.png ]] || die "no picture"

echo "all methods on a target, against reference draws and without"
aisivi experiment logistic --out logistic --data "$root/deploy/data/challenger.csv" \
  --methods gaussian,bsivi,reference "${tiny[@]}" >lines
expect_match '^No reference draws were given' logistic/report.md
[[ -s logistic/logistic_marginals.png && -s logistic/logistic_pairs.png && ! -e logistic/logistic_correlations.png ]] ||
  die "not the pictures there should be"
printf -- '-1,-1\n-1.2,-1.3\n-0.9,-0.8\n' >draws.csv
aisivi experiment logistic --out against --data "$root/deploy/data/challenger.csv" \
  --methods gaussian,reference --reference draws.csv "${tiny[@]}" >lines
expect_match '^\| gaussian, defaults \| - \| -?[0-9.]+ \|' against/report.md
[[ -s against/logistic_correlations.png ]] || die "no picture"
awk 'BEGIN { for (i = 0; i < 3; ++i) { for (d = 0; d < 99; ++d) printf "-0.9,"; print "-0.8" } }' \
  >paths.csv
aisivi experiment diffusion --out diffusion --methods gaussian --reference paths.csv \
  "${tiny[@]}" >lines
expect_match '^1/1  diffusion, gaussian, defaults, seed 1:  log_ml -?[0-9.]+, mean_log_q ' lines
[[ -s diffusion/diffusion.png ]] || die "no picture"

echo "the score against k and against the dimension"
# With a server of its own, whose memory can be measured.
challenger="$root/deploy/data/challenger.csv"
ablation=(aisivi experiment ablation-k --data "$challenger" --seeds 2 "${tiny[@]}")
env -u AISIVI_SERVER "${ablation[@]}" --out ablation >lines
expect_match '^1/1  logistic regression, aisivi, 2 estimates of each kind:  ELBO ' lines
expect_match '^\| the prior \(BSIVI\) \| 10000 \|' ablation/report.md
expect_match '^From the prior \(BSIVI\) the variance changes as k to the power -' ablation/report.md
expect_match '^Memory: the server.s resident set was at most [0-9.]+ MB' ablation/report.md
(($(wc -l <ablation/ablation_k.csv) == 9)) || die "not a header, four k and two sources"
[[ -s ablation/ablation_k.png && -s ablation/ablation_k.svg ]] || die "no picture"
cp ablation/report.md report_before
"${ablation[@]}" --out ablation >lines
expect_match '^1 of 1 are done already$' lines
cmp report_before ablation/report.md || die "another report from the same results"
aisivi experiment dimension --out dimension --target gaussian --seeds 2 "${tiny[@]}" >lines
expect_match '^10/10  gaussian, 400 dimensions:  ELBO ' lines
expect_match '^gaussian, inner samples from the prior \(BSIVI\): ' dimension/report.md
[[ -s dimension/dimension.png ]] || die "no picture"

echo "couplings, and other programs"
aisivi experiment architecture --out architecture --seeds 1 "${tiny[@]}" >lines
expect_match '^3/3  banana, 32 couplings, seed 1:  flow_loss ' lines
expect_match '^banana: 32 couplings beside 6 took ' architecture/report.md
[[ -s architecture/architecture.png ]] || die "no picture"
# As on a machine without R, whatever there is on this one.
mkdir no_r
printf '#!/bin/sh\nexit 1\n' >no_r/Rscript
chmod +x no_r/Rscript
PATH=$work/no_r:$PATH aisivi experiment peers --out peers --target funnel "${tiny[@]}" >lines
expect_match '^1/1  funnel, aisivi, defaults, seed 1:  gradients ' lines
expect_match 'apt-get install r-base-core r-cran-rstan r-cran-bridgesampling' peers/report.md
[[ -s peers/peers.png ]] || die "no picture"
printf '%s\n' '#!/bin/sh' '[ "$2" = -e ] && exit 0' \
  "printf '%s\\n' seed,seconds,log_z,log_z_se,gradients,r_hat,divergences,compile_seconds \\" \
  "  1,2.5,0.01,0.02,12345,1,0,20 >\"\$5\"" >no_r/Rscript
PATH=$work/no_r:$PATH aisivi experiment peers --out peers --target funnel "${tiny[@]}" >lines
expect_match '^1 of 1 are done already$' lines
expect_match '^funnel, NUTS and bridge sampling, seed 1:  ' lines
expect_match '^\| funnel \| NUTS and bridge sampling \| 2\.50 \| 12345 \| 0\.0100 \|' peers/report.md
aisivi list >text
expect_match '^no fits$' text

echo "what is wrong is named"
expect_failure 1 'INVALID_ARGUMENT: --reference: draws\.csv has 2 columns' \
  aisivi experiment diffusion --out x --reference draws.csv
expect_failure 1 'INVALID_ARGUMENT: --data: the experiment logistic needs' \
  aisivi experiment logistic --out x
expect_failure 1 'INVALID_ARGUMENT: --data: none\.csv' \
  aisivi experiment logistic --out x --data none.csv
expect_failure 1 'FAILED_PRECONDITION: --out: against/results\.csv holds other results' \
  aisivi experiment logistic --out against --data "$root/deploy/data/challenger.csv"
expect_failure 1 "NOT_FOUND: NAME: 'nosuch' is not one of toy" aisivi experiment nosuch --out x
expect_failure 2 'INVALID_ARGUMENT: .*--out' aisivi experiment toy
expect_failure 2 'INVALID_ARGUMENT: --size' aisivi experiment toy --out x --size large
expect_failure 2 'INVALID_ARGUMENT: --seeds' aisivi experiment toy --out x --seeds 0
expect_failure 1 'INVALID_ARGUMENT: --methods: the experiment toy does not take it' \
  aisivi experiment toy --out x --methods aisivi,bsivi
expect_failure 1 "INVALID_ARGUMENT: --target: 'funnel' is not one of banana, multimodal, x_shaped" \
  aisivi experiment toy --out x --target funnel
expect_failure 1 "INVALID_ARGUMENT: --target: 'banana' is not one of gaussian, conditioned_diffusion" \
  aisivi experiment dimension --out x --target banana
expect_failure 1 "INVALID_ARGUMENT: --target: 'banana' is not one of logistic_regression, eight_sch" \
  aisivi experiment peers --out x --target banana
for name in ablation-k dimension; do
  expect_failure 1 'INVALID_ARGUMENT: --seeds: a variance needs at least 2' \
    aisivi experiment "$name" --out x --seeds 1
done
expect_failure 1 'INVALID_ARGUMENT: --data: none\.csv' \
  aisivi experiment ablation-k --out x --data none.csv
expect_failure 1 'INVALID_ARGUMENT: --methods: give two' \
  aisivi experiment significance --out x --methods aisivi
expect_failure 1 'INVALID_ARGUMENT: fit\.method' \
  aisivi experiment significance --out x --methods aisivi,nosuch
expect_failure 1 'INVALID_ARGUMENT: fit\.nosuch' \
  aisivi experiment toy --out x --set nosuch=1
expect_failure 1 'INVALID_ARGUMENT: --out: /dev/null/x' aisivi experiment toy --out /dev/null/x
expect_failure 1 'FAILED_PRECONDITION: --out: toy/results\.csv holds other results' \
  aisivi experiment significance --out toy
stop_server
expect_failure 1 "UNAVAILABLE: --server: nothing answers at $AISIVI_SERVER" \
  aisivi experiment toy --out y
unset AISIVI_SERVER
mkdir alone
cp "$bin/aisivi" alone/
expect_failure 1 'NOT_FOUND: --server: none is named, and there is no program .*/alone/aisivi-server' \
  alone/aisivi experiment toy --out z
echo PASSED
