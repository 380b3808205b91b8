# Sourced by the scenarios inside the guest. The instants leave as /lab/instants.tar, the rest of TREE as /lab/tree.tar.
TREE=/tmp/tree; mkdir -p "$TREE"

# Runs a command as a service: in its own cgroup below system.slice, as systemd would.
service() { # NAME COMMAND...
    local group=/sys/fs/cgroup/system.slice/$1.service; shift
    echo '+cpu +memory +io +pids' > /sys/fs/cgroup/cgroup.subtree_control
    mkdir -p "${group%/*}"; echo '+cpu +memory +io +pids' > "${group%/*}/cgroup.subtree_control"
    mkdir -p "$group"
    (echo $BASHPID > "$group/cgroup.procs"; exec "$@")
}

# What other tools say about the same moment, for reference beside the instants.
reference() { # NAME
    local out=$TREE/reference/$1 device
    mkdir -p "$out"
    ss -tinmH > "$out/ss-tinmH.txt"; ss -lxH > "$out/ss-lxH.txt"
    tc -s qdisc > "$out/tc-s-qdisc.txt"
    for device in /sys/class/net/*; do
        device=${device##*/}; [ "$device" = lo ] && continue
        for flag in S g l i; do ethtool -$flag "$device" > "$out/ethtool-$flag-$device.txt" 2>&1; done
    done
}

# Records the instants, then runs the binary under test and the hook, if the host handed them over, under the same load.
stamp() { echo "$(cut -d" " -f1 /proc/uptime) $1"; }
record() {
    stamp before
    reference before
    python3 /lab/capture.py /tmp/instants.tar "${INSTANTS:-6}" 1 "$@"
    stamp captured; reference after; stamp after
    if [ -x /lab/narrows ]; then
        mkdir -p /tmp/narrows-tree
        /lab/narrows record --tree /tmp/narrows-tree ${NARROWS_ARGS:-} > /lab/narrows.out 2>&1; echo "narrows record: $?"
        tar -C /tmp -cf /lab/narrows-tree.tar narrows-tree
    fi
    if [ -f /lab/hook.sh ]; then bash /lab/hook.sh > /lab/hook.out 2>&1; echo "hook: $?"; fi
}

pack() { tar -C "${TREE%/*}" -cf /lab/tree.tar "${TREE##*/}"; cp /tmp/instants.tar /lab/; }
