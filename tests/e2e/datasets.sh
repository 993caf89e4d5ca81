#!/bin/bash
# Data sets: upload, fits that name them, columns' names in the posterior, and what is refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"
data=$root/deploy/data/challenger.csv

echo "upload, twice"
name=$(aisivi datasets upload "$data" --display_name challenger)
[[ $name == "datasets/$(sha256sum "$data" | cut -c -32)" ]] || die "not the name of its bytes: $name"
[[ $(aisivi datasets upload - <"$data") == "$name" ]] || die "the same bytes have another name"
(($(aisivi datasets list --json | wc -l) == 1)) || die "two data sets of the same bytes"
aisivi datasets list >text
expect_match "^$name +23 +3 +$(wc -c <"$data") .* challenger$" text
aisivi datasets show "$name" >text
expect_match '^y +integer +0 +1$' text
expect_match '^temperature +real +-2\.400 +1\.657$' text
expect_match "$(sha256sum "$data" | cut -d ' ' -f 1)" text
aisivi datasets show "${name#datasets/}" --json | grep -q '"columnCount":3' || die "no JSON"
aisivi datasets download "$name" --out copy.csv >/dev/null
aisivi datasets download "$name" >piped.csv
cmp copy.csv "$data" && cmp piped.csv "$data" || die "other bytes come back"

echo "a fit that names it is that of the same numbers inline"
fit=(aisivi fit --target logistic_regression --param prior_precision=0.1 "${quick[@]}" --json)
"${fit[@]}" --dataset "$name" --response y --predictors temperature --intercept | tail -n 1 >json
fitted=$(json_field name "$(cat json)")
expect_match '"coordinateNames":\["beta\[intercept\]","beta\[temperature\]"\]' json
"${fit[@]}" --data "$data" | tail -n 1 >inline
expect_match '"coordinateNames":\["beta\[1\]","beta\[2\]"\]' inline
[[ $(json_field logZ "$(cat json)") == "$(json_field logZ "$(cat inline)")" ]] || die "log Z differs"
aisivi summary "$fitted" >text
expect_match '^beta\[temperature\] ' text
aisivi draws "$fitted" --count 3 --out draws.csv >/dev/null
expect_match '^lp__,log_p__,log_g__,beta.intercept,beta.temperature$' draws.csv
aisivi plot "$fitted" --pairs 'beta[intercept],beta[temperature]' --out posterior.png >/dev/null
[[ -s posterior.png ]] || die "no picture"
"${fit[@]}" --dataset "$name" --response y | tail -n 1 >json
expect_match '"coordinateNames":\["beta\[x0\]","beta\[temperature\]"\]' json
other=$(json_field name "$(cat json)")
aisivi targets logistic_regression --check --dataset "$name" --response y >text
expect_match '^logistic_regression: 2 dimensions' text
aisivi targets logistic_regression >text
expect_match '--dataset NAME --response COLUMN' text

echo "names with commas"
printf 'n,"wind, mean","say ""x"""\n3,1,2\n4,2,-1\n2,0.5,1\n' >names.csv
quoted=$(aisivi datasets upload names.csv)
aisivi fit --target poisson_regression "${quick[@]}" --dataset "$quoted" --response n \
  --predictors '"wind, mean","say ""x"""' --json | tail -n 1 >json
aisivi draws "$(json_field name "$(cat json)")" --count 2 --out draws.csv >/dev/null
expect_match '^lp__,log_p__,log_g__,"beta\.wind, mean","beta\.say ""x"""$' draws.csv
aisivi delete "$(json_field name "$(cat json)")" >/dev/null
aisivi datasets delete "$quoted" >text
expect_match "^$quoted  deleted$" text

echo "mistakes are named"
upload() { aisivi datasets upload -; }
bad() { printf "$2" >bad.csv && expect_failure 1 "INVALID_ARGUMENT: chunk\.data: $1" \
  aisivi datasets upload bad.csv; }
bad 'line 3: column 2 \(x\): the cell is empty' 'y,x\n1,2\n1,\n'
bad "line 2: column 1 \(y\): 'NA' is a missing value" 'y,x\nNA,2\n'
bad "line 2: column 2 \(x\): 'two' is not a number" 'y,x\n1,two\n'
bad 'line 2: 1 cells, the lines before it have 2' 'y,x\n1\n'
bad "line 1: column 2: is called 'y', like column 1" 'y,y\n1,2\n'
bad 'line 1: column 1: the first line has to name the columns' '1,2\n3,4\n'
expect_failure 1 'INVALID_ARGUMENT: metadata\.size_bytes: must be at least 1' \
  aisivi datasets upload /dev/null
expect_failure 1 'INVALID_ARGUMENT: FILE: missing\.csv: No such file' \
  aisivi datasets upload missing.csv
missing=datasets/$(printf 'a%.0s' {1..32})
expect_failure 1 'NOT_FOUND: name: there is no data set' aisivi datasets show "$missing"
expect_failure 1 'NOT_FOUND: name: there is no data set' aisivi datasets download "$missing" --out x
[[ ! -e x && ! -e x.partial ]] || die "a file without a data set"
expect_failure 1 'INVALID_ARGUMENT: name: must read datasets/' aisivi datasets delete nosuch
field='fit\.target\.logistic_regression'
fit=(aisivi fit --target logistic_regression --detach)
expect_failure 1 "NOT_FOUND: $field\.dataset: there is no data set" \
  "${fit[@]}" --dataset "$missing" --response y
expect_failure 1 "INVALID_ARGUMENT: $field\.response: is required" "${fit[@]}" --dataset "$name"
expect_failure 1 "INVALID_ARGUMENT: $field\.predictors\[0\]: $name has no column \"wind\"" \
  "${fit[@]}" --dataset "$name" --response y --predictors wind
expect_failure 1 "INVALID_ARGUMENT: $field\.response: column \"temperature\": entry 1 is" \
  "${fit[@]}" --dataset "$name" --response temperature
expect_failure 1 "INVALID_ARGUMENT: $field\.dataset: stands for x and y" \
  "${fit[@]}" --dataset "$name" --response y --data "$data"
expect_failure 1 'INVALID_ARGUMENT: --dataset: fit\.target\.banana takes no data set' \
  aisivi fit --target banana --dataset "$name" --response y

echo "what a fit names is kept, over a restart too"
aisivi delete "$other" >/dev/null
expect_failure 1 "FAILED_PRECONDITION: name: $name is named by $fitted" \
  aisivi datasets delete "$name"
stop_server
start_server --dataset_quota_bytes 8192
aisivi summary "$fitted" --json >/dev/null || die "the fit cannot be used any more"
expect_failure 1 "FAILED_PRECONDITION: name: $name" aisivi datasets delete "$name"
printf 'y,x\n1,2\n' | upload >/dev/null
printf 'y,x\n1,3\n' >third.csv
expect_failure 1 'RESOURCE_EXHAUSTED: metadata\.size_bytes: all data sets together' \
  aisivi datasets upload third.csv
aisivi delete "$fitted" >/dev/null
aisivi datasets delete "$name" >/dev/null
upload <third.csv >/dev/null

stop_server
echo PASSED
