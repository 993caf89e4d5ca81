#!/bin/bash
# SIGTERM ends running fits as CANCELLED, closes streams and exits with 0; finished fits outlive the
# server, and its crash too.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"

finished=$(json_field name "$(aisivi fit --target banana "${quick[@]}" --json | tail -n 1)")
aisivi draws "$finished" --count 20 --seed 5 >before.csv
running=$(aisivi fit "${endless[@]}" --detach)
aisivi watch "$running" --json >events 2>err &
watcher=$!
until [[ -s events ]]; do sleep 0.05; done

echo "SIGTERM"
stop_server
code=0
wait "$watcher" || code=$?
((code == 1)) || die "the watcher ended with $code: $(cat err)"
tail -n 1 events | grep -q '"state":"CANCELLED"' || die "last event: $(tail -n 1 events)"

echo "a new server has the same fits"
start_server
aisivi get "$running" --json | grep -q '"state":"CANCELLED"' || die "$running is not CANCELLED"
aisivi draws "$finished" --count 20 --seed 5 | cmp - before.csv || die "other draws than before"

echo "a crash loses nothing that was acknowledged"
running=$(aisivi fit "${endless[@]}" --detach)
until aisivi get "$running" --json | grep -q '"state":"RUNNING"'; do sleep 0.05; done
aisivi watch "$running" --json >watched 2>err &
watcher=$!
until [[ -s watched ]]; do sleep 0.05; done
kill -KILL "$server_pid"
wait "$server_pid" 2>/dev/null || true
listen=$AISIVI_SERVER
start_server
until aisivi get "$running" --json | grep -q '"state":"RUNNING"'; do sleep 0.05; done
aisivi draws "$finished" --count 20 --seed 5 | cmp - before.csv || die "other draws than before"

echo "the watcher found the new server by itself"
kill -0 "$watcher" || die "the watcher has ended: $(cat err)"
aisivi cancel "$running" >/dev/null
code=0
wait "$watcher" || code=$?
((code == 1)) || die "the watcher ended with $code: $(cat err)"
tail -n 1 watched | grep -q '"state":"CANCELLED"' || die "last event: $(tail -n 1 watched)"
stop_server
echo PASSED
