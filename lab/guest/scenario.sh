#!/bin/bash
# scenario.sh NAME OUTPUT_DIRECTORY: runs one scenario in a guest and leaves its recorded tree in the directory.
#   irq-pinned   all network interrupts on CPU 0, three io_uring waiters, steady load    irq-spread   its healthy twin
#   nfs-slots    50 workers, noac, 16 session slots    nfs-latency  11 workers, same     nfs-cached   healthy twin: actimeo=600
# NARROWS=/path/to/narrows also runs `narrows record --tree` under the same load (OUTPUT_DIRECTORY/narrows/), with the
# arguments in NARROWS_ARGS.
# HOOK=/path/to/script is run in the guest, under the same load, after the instants; its output is OUTPUT_DIRECTORY/hook.out.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
name=$1 output=$2
lab=${LAB:-${TMPDIR:-/tmp}/narrows-lab}; work=$lab/vm.$name; mkdir -p "$lab/bin"
rm -rf "$work" # a stale `ready` of an earlier run would start the load too early
files=(-f "$here/common.sh" -f "$here/capture.py")
for program in iowait_waiter udp statter; do
    [ "$lab/bin/$program" -nt "$here/$program.c" ] || gcc -O2 -Wall -Wextra -o "$lab/bin/$program" "$here/$program.c"
    files+=(-f "$lab/bin/$program")
done
if [ -n "${NARROWS:-}" ]; then cp "$NARROWS" "$lab/bin/narrows"; files+=(-f "$lab/bin/narrows"); fi
if [ -n "${HOOK:-}" ]; then cp "$HOOK" "$lab/bin/hook.sh"; files+=(-f "$lab/bin/hook.sh"); fi

load=()
cleanup() {
    for pid in ${load[@]+"${load[@]}"}; do kill "$pid" 2> /dev/null || true; done
    case $name in irq-*) ip link delete labtap0 2> /dev/null || true ;; esac
}
trap cleanup EXIT

until_exists() { for _ in $(seq 1500); do [ -e "$1" ] && return; sleep 0.1; done; echo "the guest never made $1" >&2; return 1; }

# HTTP and UDP load at a fixed rate from the host, over a tap only this machine sees.
drive_load() {
    printf 'function delay() return 40 end\n' > "$lab/pace.lua"
    until_exists "$work/share/ready"
    wrk -t1 -c16 -d300s -s "$lab/pace.lua" http://10.77.0.2/ > "$work/wrk.txt" 2>&1 & load+=($!)
    "$lab/bin/udp" send 10.77.0.2 2000 300 > "$work/udp.txt" 2>&1 & load+=($!)
    sleep 2; touch "$work/share/loaded"
    until_exists "$work/share/done"
    for pid in "${load[@]}"; do kill -INT "$pid" || true; done
    wait "${load[0]}" || true # wrk prints its result when interrupted
}

case $name in
    irq-pinned) arguments=(pinned 3) ;; irq-spread) arguments=(spread 0) ;;
    nfs-slots) arguments=(50 noac) ;; nfs-latency) arguments=(11 noac) ;; nfs-cached) arguments=(50 actimeo=600) ;;
    *) sed -n 2,6p "$0"; exit 64 ;;
esac
began=$SECONDS
case $name in
    irq-*)
        ip link delete labtap0 2> /dev/null || true
        ip tuntap add dev labtap0 mode tap multi_queue; ip address add 10.77.0.1/24 dev labtap0; ip link set labtap0 up
        "$here/run.sh" -c 8 -m 2048 -t "${LAB_TIMEOUT:-240}" -n labtap0:8 -w "$work" "${files[@]}" "$here/irq_skew.sh" "${arguments[@]}" & guest=$!
        drive_load; wait $guest
        load_text="HTTP: wrk, 16 connections, each pausing 40 ms between requests. UDP: 2,000 datagrams/s of 16 bytes over 64 flows. Guest script: irq_skew.sh ${arguments[*]}." ;;
    nfs-*)
        "$here/run.sh" -c 4 -m 2048 -t 240 -w "$work" "${files[@]}" "$here/nfs_slots.sh" "${arguments[@]}"
        load_text="${arguments[0]} processes stat() 180 files each in a loop, 1 s apart, over an NFSv4.1 mount with ${arguments[1]}; replies delayed 15 ms; nfs.max_session_slots=16; fs.leases-enable=0. Guest script: nfs_slots.sh ${arguments[*]}." ;;
esac
rm -rf "$output"; mkdir -p "$output"
tar -C "$output" --strip-components=1 -xf "$work/share/tree.tar"
tar -C "$output" --no-same-owner -xf "$work/share/instants.tar"
cp "$work/share/out.log" "$output/reference/guest-output.txt"
for file in wrk.txt udp.txt; do if [ -s "$work/$file" ]; then cp "$work/$file" "$output/reference/"; fi; done
if [ -f "$work/share/narrows-tree.tar" ]; then
    mkdir "$output/narrows"; tar -C "$output/narrows" --strip-components=1 -xf "$work/share/narrows-tree.tar"
fi
for file in narrows.out hook.out; do if [ -f "$work/share/$file" ]; then cp "$work/share/$file" "$output/"; fi; done
python3 "$here/summary.py" "$output" > "$output/reference/summary.txt"
cat > "$output/README.md" <<README
# $name

Recorded, not made up: a QEMU guest (TCG: no hardware virtualisation, so steal is always 0) booted by \`lab/guest/scenario.sh $name\`.

- Kernel: $(cut -d' ' -f3 "$output/0/proc/version"), Debian 12; $(grep -c ^processor "$output/0/proc/cpuinfo") CPUs, 2 GiB.
- Load: $load_text
- Instants: $(ls -d "$output"/[0-9]* | wc -l), nominally 1 s apart (real times below and in proc/uptime), under steady load, copied by \`capture.py\`; each directory is laid out as \`/\`.
- \`reference/\`: what ss, tc and ethtool said before and after, and what the load programs measured. Not part of the tree.
- Left out: kernel threads that never ran and slept; command lines; environments. The task that copied is absent too.
- The guest's / is the recording machine's / (virtiofs under an overlay), which is what /proc/mounts shows.

\`\`\`
$(cat "$output/reference/summary.txt")
\`\`\`
README
echo "$name: $((SECONDS - began)) s, $(find "$output" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }') bytes, $(find "$output" -type f | wc -l) files"
