# The machine is reset between `apply --try` and `confirm`: a boot alone must take back everything.
# run.sh: -c 2 -i systemd -k nginx.service
# run.sh: -c 2
. /lab/common
key=net.core.somaxconn conf=/etc/nginx/nginx.conf; irq=$(irq_named 'requests')
state() { echo "$(sysctl -n $key) $(sysctl -n vm.swappiness) $(cpus_of "$irq") $([ -d /sys/module/tcp_bbr ] && echo bbr)"; }

if [ "$boot" = 1 ]; then
    save state "$(state)"; save sysctl "$(cat /etc/sysctl.conf /etc/sysctl.d/* | sha256sum)"; save conf "$(digest $conf)"; save files "$(lasting_files)"
    planned /root/plan.json << JSON
[{"what": {"kind": "sysctl", "key": "$key"}, "value": "8192"},
 {"what": {"kind": "sysctl", "key": "vm.swappiness"}, "value": "7"},
 {"what": {"kind": "irq-affinity", "irq": $irq, "name": "$(row_of requests)"}, "value": "1"},
 {"what": {"kind": "module", "name": "tcp_bbr"}, "value": "loaded"},
 {"what": {"kind": "file", "path": "$conf", "edit": "", "edits": [{"grammar": "nginx", "block": ["events"],
    "directive": "worker_connections", "to": {"to": "arguments", "arguments": "1999"}}]}}]
JSON
    exits 0 narrows apply --yes --try 10m /root/plan.json
    is "values on trial" "$(state)" "8192 7 1 bbr"
    holds "nginx.conf on trial" "$(cat $conf)" "worker_connections 1999;"
    is "sysctl.conf and sysctl.d on trial" "$(cat /etc/sysctl.conf /etc/sysctl.d/* | sha256sum)" "$(saved sysctl)"
    is "status" "$(status_of 1)" trying
    if on_systemd; then
        is "the timer" "$(systemctl is-active narrows-trial-1.timer)" active
        is "the boot unit" "$(ls /etc/systemd/system/sysinit.target.wants/narrows-trial-1-boot.service)" \
            /etc/systemd/system/sysinit.target.wants/narrows-trial-1-boot.service
    fi
    hard_reset
fi

is "values after the reset" "$(state)" "$(saved state)"
if on_systemd; then
    is "nginx.conf" "$(digest $conf)" "$(saved conf)"
    is "status" "$(status_of 1)" undone
    is "nginx" "$(systemctl is-active nginx)" active
    undone=$(systemctl show -P ExecMainExitTimestampMonotonic narrows-trial-1-boot.service)
    started=$(systemctl show -P ExecMainStartTimestampMonotonic nginx.service)
    if [ "${undone:-0}" -gt 0 ] && [ "$undone" -lt "$started" ]; then pass "undone at $undone µs, nginx started at $started µs"
    else fail "undone at $undone µs, nginx started at $started µs"; fi
    journalctl -b -u narrows-trial-1-boot.service --no-pager -o cat | sed 's/^/      /'
    said=$(narrows undo 2>&1); is "undo exits with" $? 0; echo "      $said"
else
    # Nothing runs at a boot here: a file that a service takes up now stays until somebody undoes it.
    holds "nginx.conf" "$(cat $conf)" "worker_connections 1999;"
    is "status" "$(status_of 1)" trying
    narrows history | sed 's/^/      /'
    said=$(narrows undo 2>&1); is "undo exits with" $? 0; echo "$said" | sed 's/^/      /'
    is "nginx.conf after undo" "$(digest $conf)" "$(saved conf)"
    is "status" "$(status_of 1)" undone
fi
is "values at the end" "$(state)" "$(saved state)"
is "files of narrows below /etc" "$(lasting_files)" "$(saved files)"
end
