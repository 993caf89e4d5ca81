#!/bin/bash
# The README's commands do what they say: every ```sh block under a line "<!-- tested -->" runs, in
# order, in one folder; those under "<!-- checked -->", which build, name presets, build targets and
# tests that exist; and its C++ example is the one that is built.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"
ln -s "$root/deploy" deploy

# blocks MARK: the lines of the ```sh blocks under "<!-- MARK -->".
blocks() {
  awk -v mark="<!-- $1 -->" '$0 == mark { marked = 1; next }
       marked && /^```sh$/ { inside = 1; marked = 0; next }
       inside && /^```$/ { inside = 0; next }
       inside { print }' "$root/README.md"
}
blocks tested >commands.sh
[[ -s commands.sh ]] || die "the README has no tested commands"
bash -euxo pipefail commands.sh >output 2>trace || die "$(tail -n 5 trace)"
expect_match 'log evidence' output
[[ -s draws.csv && -s posterior.png ]] || die "the README's files are missing"

echo "the commands that build"
build=$(dirname "$bin")
presets=$(cd "$root" && cmake --list-presets=all)
check_preset() {
  grep -qF "\"$1\"" <<<"$presets" || die "the README's preset $1 is not one of: $presets"
}
check_command() {
  local words
  read -ra words <<<"${1%%#*}"
  case "${words[*]}" in
    "cmake --build --preset "*" --target "*)
      check_preset "${words[3]}"
      local target
      for target in "${words[@]:5}"; do
        ninja -C "$build" -t query "$target" >query 2>&1 || die "no target $target: $(cat query)"
      done
      ;;
    "cmake --preset "*) check_preset "${words[2]}" ;;
    "ctest --preset "*" -R "*)
      check_preset "${words[2]}"
      ctest --test-dir "$build" -N -R "${words[4]}" >listed
      expect_match '^Total Tests: [1-9]' listed
      ;;
    *) die "the README's command '${words[*]}' is of no kind that can be checked" ;;
  esac
}
blocks checked >checked
[[ -s checked ]] || die "the README has no checked commands"
while read -r line; do check_command "$line"; done <checked

echo "the C++ example"
awk '/^```cpp$/ { inside = 1; next } /^```$/ { inside = 0 } inside { print }' "$root/README.md" >example
sed -n '/^#include/,$p' "$root/client/example.cc" | diff - example ||
  die "the README's example is not client/example.cc"
aisivi-example "$AISIVI_SERVER" >output
expect_match '^log evidence -?[0-9.e-]+ ± [0-9.e-]+$' output
aisivi-density-example "$AISIVI_SERVER" >output
expect_match '^log evidence -?[0-9.e-]+$' output
stop_server
echo PASSED
