#!/bin/bash
# Bad input gets one clear line that names the field, and the server keeps serving.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"
fit=(aisivi fit --detach)

echo "wrong shapes"
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian\.covariance' \
  "${fit[@]}" --target gaussian --param mean=0,0 --param 'covariance=1,0,0;0,1,0;0,0,1'
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian\.covariance: row 2' \
  "${fit[@]}" --target gaussian --param mean=0,0 --param 'covariance=1,0;0'
printf '{"target": {"logisticRegression": {"x": {"rows": 2, "columns": 2, "values": [1, 2, 3]},
        "y": [0, 1]}}}' >shape.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.x' \
  "${fit[@]}" --spec shape.json
printf '{"target": {"logisticRegression": {"x": {"rows": 2, "columns": 1, "values": [1, 2]},
        "y": [0, 1, 1]}}}' >shape.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.y' \
  "${fit[@]}" --spec shape.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.x' \
  "${fit[@]}" --target logistic_regression
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.conditioned_diffusion\.observation_steps' \
  "${fit[@]}" --target conditioned_diffusion --param observations=1,2 --param observation_steps=5
expect_failure 1 'INVALID_ARGUMENT: fit\.target' "${fit[@]}"

echo "NaN and other things in data"
printf 'y,x\n1,0.5\n0,nan\n' >nan.csv
expect_failure 1 'INVALID_ARGUMENT: --data: nan\.csv:3: column 2' \
  "${fit[@]}" --target logistic_regression --data nan.csv
printf 'y,x\n1,0.5\n0\n' >ragged.csv
expect_failure 1 'INVALID_ARGUMENT: --data: ragged\.csv:3:' \
  "${fit[@]}" --target logistic_regression --data ragged.csv
printf 'y,x\n1,0.5\n2,1\n' >response.csv
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.y' \
  "${fit[@]}" --target logistic_regression --data response.csv
printf '{"target": {"logisticRegression": {"x": {"rows": 2, "columns": 1, "values": [1, "NaN"]},
        "y": [0, 1]}}}' >nan.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.x' \
  "${fit[@]}" --spec nan.json
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian\.mean' \
  "${fit[@]}" --target gaussian --param mean=nan,0 --param 'covariance=1,0;0,1'
expect_failure 1 'INVALID_ARGUMENT: --data: missing\.csv: No such file' \
  "${fit[@]}" --target logistic_regression --data missing.csv

echo "negative variances, and covariances that are not positive definite"
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian\.covariance' \
  "${fit[@]}" --target gaussian --param mean=0,0 --param 'covariance=-1,0;0,1'
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian\.covariance' \
  "${fit[@]}" --target gaussian --param mean=0,0 --param 'covariance=1,2;2,1'
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.gaussian_mixture\.covariances' \
  "${fit[@]}" --target gaussian_mixture --param weights=0.5,0.5 --param 'means=0,0;1,1' \
  --param 'covariances=1,0;0,1|1,3;3,1'
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.conditioned_diffusion\.noise' \
  "${fit[@]}" --target conditioned_diffusion --param noise=-0.1
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.prior_precision' \
  "${fit[@]}" --target logistic_regression --data "$root/deploy/data/challenger.csv" \
  --param prior_precision=-1

echo "texts that are too long, or would be taken for commands by a terminal"
expect_failure 1 'INVALID_ARGUMENT: fit\.display_name: has control characters: "a\\x1b\[2J"' \
  "${fit[@]}" --target banana --display_name $'a\e[2J'
long=$(printf '%010000d' 0)
expect_failure 1 'INVALID_ARGUMENT: filter: has more than 4096 bytes' aisivi list --filter "$long"
expect_failure 1 'INVALID_ARGUMENT: filter: "0{100}…" is not' aisivi list --filter "${long:0:4000}"
expect_failure 1 "INVALID_ARGUMENT: fit\.method: no method is called '0{100}…'; known: aisivi" \
  "${fit[@]}" --target banana --method "$long"
expect_failure 1 'INVALID_ARGUMENT: fit\.preset: there is no "0{100}…"$' \
  "${fit[@]}" --target banana --preset "$long"
expect_failure 1 'INVALID_ARGUMENT: name: must read' aisivi get "$long"

echo "everything that is wrong, at once"
echo '{"target": {"funnel": {"dimension": -1}}, "schedule": {"points": 0}, "labels": {"Bad": ""}}' >wrong.json
expect_failure 1 'fit\.labels: .*; fit\.schedule\.points: .*; fit\.target\.funnel\.dimension: ' \
  "${fit[@]}" --spec wrong.json

echo "sizes that are too much together"
expect_failure 1 'INVALID_ARGUMENT: fit\.schedule\.points: points x inner_samples x chunks' \
  "${fit[@]}" --target banana --set points=65536 --set inner_samples=1000000

echo "unknown names"
expect_failure 1 "INVALID_ARGUMENT: fit\.target: .*'nosuch'.*banana" \
  "${fit[@]}" --target nosuch
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.banana\.bend' \
  "${fit[@]}" --target banana --param bend=1
expect_failure 1 'INVALID_ARGUMENT: fit\.method' \
  "${fit[@]}" --target banana --method nosuch
expect_failure 1 'INVALID_ARGUMENT: fit\.preset' \
  "${fit[@]}" --target banana --preset nosuch
expect_failure 1 'INVALID_ARGUMENT: fit\.nosuch.*iterations' \
  "${fit[@]}" --target banana --set nosuch=1
expect_failure 1 'INVALID_ARGUMENT: fit\.family\.latent' \
  "${fit[@]}" --target banana --set latent=nosuch
expect_failure 1 "NOT_FOUND: NAME: .*'nosuch'" aisivi targets nosuch
expect_failure 2 "INVALID_ARGUMENT: COMMAND: .*'nosuch'" aisivi nosuch
expect_failure 2 'INVALID_ARGUMENT: .*--nosuch' aisivi fit --nosuch

echo "k = 0, and far too many iterations"
expect_failure 1 'INVALID_ARGUMENT: fit\.method\.aisivi\.inner_samples' \
  "${fit[@]}" --target banana --set inner_samples=0
expect_failure 1 'INVALID_ARGUMENT: fit\.schedule\.points' \
  "${fit[@]}" --target banana --set points=-5
expect_failure 1 'INVALID_ARGUMENT: fit\.schedule\.iterations' \
  "${fit[@]}" --target banana --set iterations=10000000000
expect_failure 1 'INVALID_ARGUMENT: fit\.schedule\.learning_rate' \
  "${fit[@]}" --target banana --set learning_rate=nan
expect_failure 1 'INVALID_ARGUMENT: fit\.schedule\.time_limit' \
  "${fit[@]}" --target banana --time_limit=-1
expect_failure 1 'INVALID_ARGUMENT: fit\.start\.restarts' \
  "${fit[@]}" --target banana --restarts 0

echo "a field of 100 MB"
awk 'BEGIN { row = "1"; for (i = 0; i < 10000; ++i) row = row ",1"
             for (i = 0; i < 1310; ++i) print row }' >large.csv
expect_failure 1 'INVALID_ARGUMENT: fit\.target\.logistic_regression\.x' \
  "${fit[@]}" --target logistic_regression --data large.csv
awk 'BEGIN { printf "{\"target\":{\"banana\":{}},\"displayName\":\""
             for (i = 0; i < 100000; ++i) printf "%01000d", 0
             print "\"}" }' >large.json
expect_failure 1 'INVALID_ARGUMENT: fit\.display_name' \
  "${fit[@]}" --spec large.json

echo "a fit that does not exist"
for command in get watch cancel delete summary evidence draws; do
  expect_failure 1 'NOT_FOUND: .*fits/nosuch' aisivi "$command" nosuch
done
expect_failure 1 'NOT_FOUND: .*fits/nosuch' aisivi logq nosuch --point 0,0
expect_failure 1 'NOT_FOUND: .*fits/nosuch' aisivi plot nosuch --out picture.png
[[ ! -e picture.png ]] || die "a picture of nothing"
expect_failure 1 'INVALID_ARGUMENT: name' aisivi get a/b/c

echo "a fit that has not ended"
running=$("${fit[@]}" "${endless[@]}")
for command in "draws $running" "summary $running" "evidence $running" "logq $running --point 0,0" \
  "plot $running --out picture.png" "draws $running --out draws.csv"; do
  # shellcheck disable=SC2086
  expect_failure 1 'FAILED_PRECONDITION: name' aisivi $command
done
[[ ! -e draws.csv && ! -e draws.csv.partial ]] || die "a file without draws"
expect_failure 1 'FAILED_PRECONDITION: name' aisivi delete "$running"
aisivi cancel "$running" >/dev/null

echo "values out of range for a finished fit"
done_name=$(aisivi fit --target banana "${quick[@]}" --json | tail -n 1)
done_name=$(json_field name "$done_name")
expect_failure 1 'INVALID_ARGUMENT: count' aisivi draws "$done_name" --count 10000000000
expect_failure 2 'INVALID_ARGUMENT: --count' aisivi draws "$done_name" --count 0
expect_failure 1 'INVALID_ARGUMENT: probabilities' aisivi summary "$done_name" --quantiles 0.5,1.5
expect_failure 1 'INVALID_ARGUMENT: points' aisivi logq "$done_name" --point 1,2,3
expect_failure 1 'INVALID_ARGUMENT: --point: row 2' aisivi logq "$done_name" --point 1,2 --point 1
expect_failure 1 "INVALID_ARGUMENT: --pairs: .*'nosuch'" \
  aisivi plot "$done_name" --out picture.png --pairs nosuch
expect_failure 1 'INVALID_ARGUMENT: --out: no/such/folder' \
  aisivi draws "$done_name" --out no/such/folder/draws.csv
expect_failure 1 'INVALID_ARGUMENT: --out: no/such/folder' \
  aisivi plot "$done_name" --out no/such/folder/picture.png
expect_failure 1 'INVALID_ARGUMENT: filter' aisivi list --filter 'state='

echo "the server still serves"
kill -0 "$server_pid" || die "the server is gone"
aisivi summary "$done_name" >/dev/null
aisivi fit --target banana "${quick[@]}" >/dev/null
stop_server

echo "no server at all"
expect_failure 1 "UNAVAILABLE: --server: nothing answers at $AISIVI_SERVER" aisivi list
expect_failure 1 'UNAVAILABLE: --server' aisivi --server 127.0.0.1:1 targets

echo "a full queue"
start_server --max_running 1 --max_queued 1
"${fit[@]}" "${endless[@]}" >/dev/null
runs() { aisivi list --filter state=RUNNING --json | grep -q .; }
wait_until "a fit to run" runs
"${fit[@]}" "${endless[@]}" >/dev/null
expect_failure 1 'RESOURCE_EXHAUSTED' "${fit[@]}" "${endless[@]}"
stop_server

echo "flags of the server"
expect_failure 2 'nosuch' aisivi-server --nosuch
expect_failure 2 'max_running' aisivi-server --max_running 0
echo PASSED
