# A drop-in for a service that runs: its limits hold after daemon-reload, in its control group, and are gone after undo.
# run.sh: -c 2 -i systemd
. /lab/common
unit=lab-worker.service dropin=/etc/systemd/system/lab-worker.service.d/90-narrows.conf
group=/sys/fs/cgroup/system.slice/$unit
printf '[Service]\nExecStart=/bin/sleep infinity\nCPUQuota=80%%\nMemoryMax=512M\n' > /etc/systemd/system/$unit
systemctl daemon-reload; systemctl start $unit
limits() { echo "$(cat $group/cpu.max) $(cat $group/memory.max) $(cat $group/pids.max)"; }
original=$(limits) process=$(systemctl show -P MainPID $unit)
is "limits before" "$original" "80000 100000 536870912 $(cat $group/pids.max)"
planned /root/plan.json << JSON
[{"what": {"kind": "unit", "name": "$unit", "settings": ["CPUQuota=50%", "MemoryMax=256M", "TasksMax=33"]}, "value": "less"}]
JSON
for round in 1 2; do
    exits 0 narrows apply --yes /root/plan.json
    is "limits after apply, round $round" "$(limits)" "50000 100000 268435456 33"
    is "the process" "$(systemctl show -P MainPID $unit)" "$process"
    sed 's/^/      /' $dropin
    exits 0 narrows undo
    is "limits after undo, round $round" "$(limits)" "$original"
    is "the drop-in" "$(digest $dropin)" absent
    is "the folder of the drop-in" "$(ls -d ${dropin%/*} 2> /dev/null)" ""
    is "the process" "$(systemctl show -P MainPID $unit)" "$process"
done

sed -i 's/"50%"/"fifty"/' /root/plan.json # the hash no longer fits
exits 4 narrows apply --yes /root/plan.json
planned /root/wrong.json << JSON
[{"what": {"kind": "unit", "name": "$unit", "settings": ["CPUQuota=fifty"]}, "value": "less"}]
JSON
said=$(narrows apply --yes /root/wrong.json 2>&1); is "a value that systemd does not know ends with" $? 4; echo "$said" | sed 's/^/      /'
is "limits then" "$(limits)" "$original"; is "the drop-in then" "$(digest $dropin)" absent
end
