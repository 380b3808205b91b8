#!/bin/bash
# hands.sh SCENARIO...: shows plan, apply, confirm and undo in a guest of their own. A scenario is a script of hands/.
#
# Each line `# run.sh: OPTIONS` of the script is one run, with these options of run.sh; -n QUEUES makes a tap for it.
# The script is told which boot this is, from 1, and asks for the next one by a hard reset; what it wrote stays.
# Prints PASS and FAIL lines; ends with 1 if there was one FAIL, or less than one PASS.
# NARROWS and PLAN_BY_HAND name the programs; by default those of the debug build:
#   cargo build -p narrows && cargo build -p change --example plan_by_hand
set -euo pipefail
here=$(dirname "$(readlink -f "$0")"); target=$here/../../target/debug
lab=${LAB:-${TMPDIR:-/tmp}/narrows-lab}; mkdir -p "$lab/bin"
tap=labt$$
cleanup() { ip link delete "$tap" 2> /dev/null || true; rm -rf "$lab/hands.$$" "$lab/hands.$$.img"; }
trap cleanup EXIT
program() { [ -x "$1" ] || { echo "there is no $1: build it, as $0 tells" >&2; exit 70; }; cp "$1" "$lab/bin/$2"; }
program "${NARROWS:-$target/narrows}" narrows
program "${PLAN_BY_HAND:-$target/examples/plan_by_hand}" plan_by_hand

one_run() { # SCENARIO OPTIONS...
    local scenario=$1 options=() boot=0 status=100 files; shift
    while [ $# -gt 0 ]; do
        if [ "$1" = -n ]; then
            ip tuntap add dev "$tap" mode tap multi_queue; ip link set "$tap" up
            options+=(-n "$tap:$2"); shift
        else options+=("$1"); fi
        shift
    done
    files=(-f "$lab/bin/narrows" -f "$lab/bin/plan_by_hand" -f "$here/hands/common")
    rm -f "$lab/hands.$$.img"
    while [ "$status" = 100 ] && [ "$boot" -lt 5 ]; do
        boot=$((boot + 1)) status=0
        echo "# $scenario $*, boot $boot"
        "$here/run.sh" -t 600 ${options[@]+"${options[@]}"} -d "$lab/hands.$$.img" -w "$lab/hands.$$" "${files[@]}" \
            "$here/hands/$scenario.sh" "$boot" || status=$?
    done
    ip link delete "$tap" 2> /dev/null || true
    echo "# $scenario ended with $status after $boot boots"
    return "$status"
}

log=$lab/hands.$$.log
for scenario in "$@"; do
    while read -r options; do
        # shellcheck disable=SC2086
        one_run "$scenario" $options || echo "FAIL  $scenario ended badly"
    done < <(sed -n 's/^# run.sh: *//p' "$here/hands/$scenario.sh")
done < /dev/null | tee "$log"
passed=$(grep -c ^PASS "$log" || true) failed=$(grep -c ^FAIL "$log" || true); rm -f "$log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
