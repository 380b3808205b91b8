# Each kind that needs a network card or a module: applied and undone; then apply and undo are killed on their way.
# Prints `kind | points | restored | lost`. STRIDE=N kills at every Nth point only.
# STRIDE=0 kills nothing. KINDS="ring fq" does only these. TUNED=1 has the card tuned by hand beforehand.
# run.sh: -c 4 -n 4
. /lab/common
STRIDE=${STRIDE:-3}
ip link set eth0 up; ip address add 10.78.0.2/24 dev eth0; ethtool -L eth0 combined 4
irq=$(irq_named 'virtio.*-input.1$')

# All that any of the kinds may move, so that one cannot break what another holds. The handle of mq is the kernel's count.
world() {
    ethtool -g eth0; ethtool -l eth0; ethtool -k eth0 | grep -v fixed; ip -o link show eth0 | cut -d: -f3-
    tc -d qdisc show dev eth0 | sed 's/qdisc mq [0-9a-f]*: root/qdisc mq root/; s/parent [0-9a-f]*:/parent :/'
    grep -s . /sys/class/net/eth0/queues/*/{rps_cpus,rps_flow_cnt,xps_cpus}
    awk '/virtio.*put/ { sub(":", "", $1); print $1, $NF }' /proc/interrupts | while read -r number row; do echo "$row $(cpus_of "$number")"; done
    sysctl net.core.somaxconn net.core.rps_sock_flow_entries; grep -o '^tcp_bbr' /proc/modules; lasting_files
}
wish() {
    case $1 in
        ring) echo '{"what": {"kind": "ring", "interface": "eth0", "side": "rx"}, "value": "256"}' ;;
        channels) echo '{"what": {"kind": "channels", "interface": "eth0"}, "value": "2"}' ;;
        irq-affinity) echo '{"what": {"kind": "irq-affinity", "irq": '"$irq"', "name": "'"$(row_of 'virtio.*-input.1$')"'"}, "value": "3"}' ;;
        packet-steering) echo '{"what": {"kind": "packet-steering", "path": "eth0/queues/rx-0/rps_cpus"}, "value": "e"}' ;;
        fq | fq_codel | cake) echo '{"what": {"kind": "qdisc", "interface": "eth0"}, "value": "'"$1"'"}' ;;
        module) echo '{"what": {"kind": "module", "name": "tcp_bbr"}, "value": "loaded"}' ;;
    esac
}
lost_as() { diff /tmp/original <(world) | grep '^[<>]' | head -6 | sed 's/^/      /'; }

CALLS=pwrite64,write,fsync,fdatasync,rename,renameat2,unlink,unlinkat,ioctl,sendto,sendmsg,finit_module,delete_module,mkdir,symlink,symlinkat,linkat
# Numbers the calls of a run that may change something, as strace counts them: each kind of call, in each thread, by
# itself. (Debian's strace 6.1 injects no signal with --seccomp-bpf.)
points() { # COMMAND...
    strace -f -qq --seccomp-bpf -e trace=$CALLS -o /tmp/calls "$@" > /tmp/said 2>&1 || { cat /tmp/said; return 1; }
    sed -E 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/; t; d' /tmp/calls |
        awk '{ point = $2 " " ++n[$1 $2] } !seen[point]++ { print point }' | awk -v s="$STRIDE" 'NR % s == s - 1'
}
killed_before() { # CALL NUMBER COMMAND...
    local call=$1 number=$2; shift 2
    strace -f -qq -e "trace=$call" -e "inject=$call:signal=KILL:when=$number" -o /dev/null "$@" > /tmp/said 2>&1
    [ $? = 137 ]
}

killed() { # KIND: tries all points of apply, then of undo
    local kind=$1 number=0 all=0 restored=0 lost=0 late=0 call when state phase
    for phase in apply undo; do
        state=/tmp/state.$kind.$phase
        if [ $phase = apply ]; then points narrows apply --yes --state-dir $state /tmp/plan.json > /tmp/points; narrows undo --state-dir $state > /dev/null
        else narrows apply --yes --state-dir $state /tmp/plan.json > /dev/null; points narrows undo --state-dir $state > /tmp/points; fi
        while read -r call when; do
            number=$((number + 1)) state=/tmp/state.$kind.$number
            if [ $phase = apply ]; then killed_before "$call" "$when" narrows apply --yes --state-dir "$state" /tmp/plan.json
            else narrows apply --yes --state-dir "$state" /tmp/plan.json > /dev/null 2>&1; killed_before "$call" "$when" narrows undo --state-dir "$state"; fi ||
                late=$((late + 1))
            all=$((all + 1))
            if narrows undo --state-dir "$state" > /tmp/undone 2>&1 && [ -z "$(lost_as)" ]; then restored=$((restored + 1)); rm -rf "$state"
            else lost=$((lost + 1)); echo "      $kind, $phase killed before $call $when:"; lost_as; tail -5 /tmp/undone; narrows undo --force --state-dir "$state"; fi
        done < /tmp/points
    done
    printf '%-16s | %4s points | %4s restored | %s lost | %s ended before their point\n' "$kind" $all $restored $lost $late
    if [ $lost = 0 ] && [ $all -gt 0 ] && [ $((late * 2)) -lt $all ]; then pass "$kind: $restored of $all kills restored"
    else fail "$kind: $lost of $all kills lost something, $late were not killed"; fi
}

# Somebody has tuned this card by hand: what the kernel resets when the number of queues changes must come back too.
if [ -n "${TUNED:-}" ]; then
    awk '/virtio.*put/ { sub(":", "", $1); print $1 }' /proc/interrupts | while read -r number; do echo 0 > "/proc/irq/$number/smp_affinity_list"; done
    for queue in 0 1 2 3; do echo 6 > /sys/class/net/eth0/queues/rx-$queue/rps_cpus; echo 9 > /sys/class/net/eth0/queues/tx-$queue/xps_cpus; done
    ethtool -G eth0 rx 512
fi
for kind in ${KINDS:-ring channels irq-affinity packet-steering fq fq_codel cake module}; do
    world > /tmp/original
    echo "[$(wish $kind)]" | planned /tmp/plan.json
    exits 0 narrows apply --yes /tmp/plan.json
    if [ -n "$(lost_as)" ]; then pass "$kind: applied"; lost_as; else fail "$kind: nothing changed"; fi
    exits 0 narrows undo
    if [ -z "$(lost_as)" ]; then pass "$kind: undone"; else fail "$kind: not undone"; lost_as; fi
    [ "$STRIDE" = 0 ] || killed $kind
done
end
