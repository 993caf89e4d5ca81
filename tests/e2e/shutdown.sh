#!/bin/bash
# SIGTERM interrupts running fits, closes streams and exits with 0; the next server goes on with
# them. Finished fits outlive the server, and its crash too.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_server
cd "$work"

finished=$(json_field name "$(aisivi fit --target banana "${quick[@]}" --json | tail -n 1)")
aisivi draws "$finished" --count 20 --seed 5 >before.csv
running=$(aisivi fit "${endless[@]}" --detach)
aisivi watch "$running" --json >events 2>err &
watcher=$!
wait_until "an iteration" grep -qE '"iteration":"?[1-9]' events

echo "SIGTERM"
queued=()
while ((${#queued[@]} < 3)); do queued+=("$(aisivi fit "${endless[@]}" --detach)"); done
waiting=${queued[-1]}
aisivi watch "$waiting" --json >waiting_events 2>waiting_err &
waiting_watcher=$!
wait_until "an event of the queue" grep -q QUEUED waiting_events
stop_server
# Nobody answers any more, so that a watcher that tried again would say something else.
code=0
wait "$waiting_watcher" || code=$?
((code == 1)) || die "the watcher of a queued fit ended with $code: $(cat waiting_err)"
expect_match '^aisivi: UNAVAILABLE: the server is shutting down; the fit is kept' waiting_err
code=0
wait "$watcher" || code=$?
((code == 1)) || die "the watcher ended with $code: $(cat err)"
expect_match '^aisivi: UNAVAILABLE: the server is shutting down; the fit is kept' err
if grep -q CANCELLED events; then die "last event: $(tail -n 1 events)"; fi

echo "a new server has the same fits"
start_server
wait_until "$running to run again" has_state "$running" RUNNING
wait_until "what it goes on from" grep -q "$running goes on from its checkpoint" server.log
for name in "$running" "${queued[@]}"; do cancel_and_wait "$name"; done
aisivi draws "$finished" --count 20 --seed 5 | cmp - before.csv || die "other draws than before"

echo "a crash loses nothing that was acknowledged"
running=$(aisivi fit "${endless[@]}" --detach)
wait_until "$running to run" has_state "$running" RUNNING
aisivi watch "$running" --json >watched 2>err &
watcher=$!
wait_until "an event" test -s watched
kill -KILL "$server_pid"
wait "$server_pid" 2>/dev/null || true
listen=$AISIVI_SERVER
start_server
wait_until "$running to run again" has_state "$running" RUNNING
aisivi draws "$finished" --count 20 --seed 5 | cmp - before.csv || die "other draws than before"

echo "the watcher found the new server by itself"
kill -0 "$watcher" || die "the watcher has ended: $(cat err)"
cancel_and_wait "$running"
code=0
wait "$watcher" || code=$?
((code == 1)) || die "the watcher ended with $code: $(cat err)"
tail -n 1 watched | grep -q '"state":"STATE_CANCELLED"' || die "last event: $(tail -n 1 watched)"
stop_server
echo PASSED
