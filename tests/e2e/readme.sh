#!/bin/bash
# The README's commands do what they say: every ```sh block under a line "<!-- tested -->" runs, in
# order, in one folder; and its C++ example is the one that is built.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"
ln -s "$root/deploy" deploy

awk '/^<!-- tested -->$/ { marked = 1; next }
     marked && /^```sh$/ { inside = 1; marked = 0; next }
     inside && /^```$/ { inside = 0; next }
     inside { print }' "$root/README.md" >commands.sh
[[ -s commands.sh ]] || die "the README has no tested commands"
bash -euxo pipefail commands.sh >output 2>trace || die "$(tail -n 5 trace)"
expect_match 'log evidence' output
[[ -s draws.csv && -s posterior.png ]] || die "the README's files are missing"

echo "the C++ example"
awk '/^```cpp$/ { inside = 1; next } /^```$/ { inside = 0 } inside { print }' "$root/README.md" >example
sed -n '/^#include/,$p' "$root/client/example.cc" | diff - example ||
  die "the README's example is not client/example.cc"
aisivi-example "$AISIVI_SERVER" >output
expect_match '^log evidence -?[0-9.e-]+ ± [0-9.e-]+$' output
stop_server
echo PASSED
