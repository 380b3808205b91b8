# --try under systemd: the timer takes a trial back at its deadline, `confirm` stops it, and no kill of apply does.
# run.sh: -c 2 -i systemd
. /lab/common
key=net.core.somaxconn
original=$(sysctl -n $key) original_files=$(lasting_files)
planned /root/plan.json << JSON
[{"what": {"kind": "sysctl", "key": "vm.swappiness"}, "value": "7"},
 {"what": {"kind": "sysctl", "key": "$key"}, "value": "8192"}]
JSON
swappiness=$(sysctl -n vm.swappiness)
sysctl_files() { cat /etc/sysctl.conf /etc/sysctl.d/* | sha256sum | cut -c1-16; }
original_sysctl_files=$(sysctl_files)
ended() { [ "$(status_of "$1")" = undone ] && ! systemctl is-active --quiet "narrows-trial-$1.service"; }
nothing_left() { # ID
    is "$key" "$(sysctl -n $key)" "$original"; is vm.swappiness "$(sysctl -n vm.swappiness)" "$swappiness"
    is "sysctl.conf and sysctl.d" "$(sysctl_files)" "$original_sysctl_files"; is "files of narrows below /etc" "$(lasting_files)" "$original_files"
    is "units of the trial" "$(systemctl list-units --all --no-legend "narrows-trial-$1*" | tr -s ' ')" ""
}

exits 0 narrows apply --yes --try 20s /root/plan.json
is "$key on trial" "$(sysctl -n $key)" 8192; is "files on trial" "$(sysctl_files)" "$original_sysctl_files"
undone_by_timer() { # ID
    if ! until_true 90 ended "$1"; then fail "90 s after: $(status_of "$1")"; return; fi
    late=$(narrows history --format json | jq ".transactions[] | select(.id == $1) | .changed_unix_ms - .deadline_unix_ms")
    if [ "$late" -ge 0 ]; then pass "the timer undid it $late ms after the deadline"; else fail "undone $late ms after the deadline"; fi
}
undone_by_timer 1
nothing_left 1

exits 0 narrows apply --yes --try 30s /root/plan.json
exits 0 narrows confirm
is "the timer after confirm" "$(systemctl is-active narrows-trial-2.timer)" inactive
is "status" "$(status_of 2)" applied
holds "what lasts" "$(grep -rs '^ *net.core.somaxconn' /etc/sysctl.conf /etc/sysctl.d)" 8192
sleep 35
is "$key after the deadline" "$(sysctl -n $key)" 8192; is "status" "$(status_of 2)" applied
exits 0 narrows undo
nothing_left 2

# Every change of the journal is one fdatasync: the last of them come after the timer was armed.
strace -f -qq -e trace=fdatasync,fsync -o /root/calls narrows apply --yes --try 10m /root/plan.json > /dev/null
exits 0 narrows undo
call=fdatasync; grep -q 'fdatasync(' /root/calls || call=fsync
count=$(awk -v c="$call(" 'index($2, c) { n[$1]++ } END { for (pid in n) if (n[pid] > most) most = n[pid]; print most }' /root/calls)
echo "      $count × $call in an apply on trial"
id=3
for back in 0 1 2 3; do
    id=$((id + 1))
    strace -f -qq -e "trace=$call" -e "inject=$call:signal=KILL:when=$((count - back))" -o /dev/null \
        narrows apply --yes --try 15s /root/plan.json > /root/said 2>&1; status=$?
    is "apply killed before $call $((count - back)) ends with" "$status" 137
    echo "      left: $key $(sysctl -n $key), vm.swappiness $(sysctl -n vm.swappiness), $(status_of $id)"
    undone_by_timer $id
    nothing_left $id
done
end
