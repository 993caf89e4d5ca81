# Sourced by the scripts of this folder; the first argument is the directory of the binaries.
set -euo pipefail
bin=$1
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$tests/../.." && pwd)
PATH=$bin:$PATH
work=$(mktemp -d)
server_pid=''
unset NO_COLOR TERM || true

cleanup() {
  local code=$?
  if [[ -n $server_pid ]]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  if ((code != 0)) && [[ -s $work/server.log ]]; then tail -n 20 "$work/server.log" >&2; fi
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT

die() {
  echo "FAILED: $*" >&2
  exit 1
}

# wait_until WHAT COMMAND...: runs the command again and again until it succeeds; after ten minutes,
# which even a slow machine does not need, dies of missing WHAT.
wait_until() {
  local what=$1 tries=0
  shift
  until "$@"; do
    ((++tries < 12000)) || die "waited in vain for $what"
    sleep 0.05
  done
}

# The state of the fit NAME is STATE.
has_state() { aisivi get "$1" --json | grep -q "\"state\":\"STATE_$2\""; }

# Ends a fit and waits for its end, which `cancel` does for a moment only.
cancel_and_wait() {
  aisivi cancel "$1" >"$work/cancelled" || die "cannot cancel $1"
  wait_until "the end of $1" has_state "$1" CANCELLED
}

# Starts a server with $work/data on $listen, by default a free port; more flags may follow.
listen=127.0.0.1:0
start_server() {
  rm -f "$work/ports"
  aisivi-server --listen "$listen" --metrics_listen 127.0.0.1:0 --data_dir "$work/data" \
    --port_file "$work/ports" "$@" 2>>"$work/server.log" &
  server_pid=$!
  wait_until "the server's ports" listens
  AISIVI_SERVER=$(sed -n 's/^listen=//p' "$work/ports")
  metrics_address=$(sed -n 's/^metrics_listen=//p' "$work/ports")
  export AISIVI_SERVER
}

# It has written its ports; dies when it has ended instead.
listens() {
  [[ -s $work/ports ]] || kill -0 "$server_pid" 2>/dev/null || die "the server did not start"
  [[ -s $work/ports ]]
}

# Ends the server with SIGTERM; it must exit with 0.
stop_server() {
  local pid=$server_pid
  server_pid=''
  kill -TERM "$pid"
  wait "$pid" || die "the server ended with $?"
}

# expect_failure CODE PATTERN COMMAND...: it exits with CODE, prints nothing but one line of errors,
# and that line matches the pattern.
expect_failure() {
  local code=$1 pattern=$2 got=0
  shift 2
  "$@" >"$work/out" 2>"$work/err" || got=$?
  ((got == code)) || die "$*: exit code $got, not $code: $(cat "$work/err")"
  (($(wc -l <"$work/err") == 1)) || die "$*: not one line of errors: $(cat "$work/err")"
  grep -qE -- "$pattern" "$work/err" || die "$*: '$(cat "$work/err")' does not match '$pattern'"
}

# expect_match PATTERN FILE
expect_match() {
  grep -qE -- "$1" "$2" || die "nothing in $2 matches '$1': $(head -c 2000 "$2")"
}

# The value of the first field of that name in one line of JSON.
json_field() {
  grep -oE "\"$1\":(\"[^\"]*\"|[^,}]*)" <<<"$2" | sed -n '1{s/^[^:]*://;s/"//g;p}'
}

# True when the first number lies within the second and third.
within() {
  awk -v x="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(x + 0 == x && x >= low && x <= high) }'
}

# Enough to go through every phase, in a second or two.
quick=(--set iterations=60 --set evidence_draws=500 --set evidence_inner_samples=32)
# Runs until it is told to stop.
endless=(--target banana --set iterations=10000000 --set points=16)
