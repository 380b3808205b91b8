# A plain apply lasts over a reset: kernel parameters by their file, interrupt, ring and steering by narrows-boot.service.
# After undo, the next boot finds the originals.
# run.sh: -c 2 -n 2 -i systemd
. /lab/common
udevadm settle # udev renames the card meanwhile; narrows-boot.service must find it by itself
key=net.core.somaxconn nic=$(ls /sys/class/net | grep -v '^lo$') irq=$(irq_named 'virtio.*-input.1$')
state() {
    echo "$(sysctl -n $key vm.swappiness | tr '\n' ' ')irq $(cpus_of "$irq") ring $(ethtool -g "$nic" | awk '/^RX:/ { n = $2 } END { print n }')" \
        "rps $(cat /sys/class/net/$nic/queues/rx-0/rps_cpus) $([ -d /sys/module/tcp_bbr ] && echo bbr)"
}
case $boot in
    1)
        ip link set "$nic" up
        save state "$(state)"; save files "$(lasting_files)"; echo "      before: $(state)"
        planned /root/plan.json << JSON
[{"what": {"kind": "sysctl", "key": "$key"}, "value": "8192"},
 {"what": {"kind": "sysctl", "key": "vm.swappiness"}, "value": "7"},
 {"what": {"kind": "irq-affinity", "irq": $irq, "name": "$(row_of 'virtio.*-input.1$')"}, "value": "0"},
 {"what": {"kind": "ring", "interface": "$nic", "side": "rx"}, "value": "256"},
 {"what": {"kind": "packet-steering", "path": "$nic/queues/rx-0/rps_cpus"}, "value": "2"},
 {"what": {"kind": "module", "name": "tcp_bbr"}, "value": "loaded"}]
JSON
        exits 0 narrows apply --yes /root/plan.json
        is "values after apply" "$(state)" "8192 7 irq 0 ring 256 rps 2 bbr"
        echo "      files: $(lasting_files)"
        sync; hard_reset ;;
    2)
        is "narrows-boot.service" "$(systemctl show -P Result narrows-boot.service)" success
        journalctl -b -u narrows-boot.service --no-pager -o cat | sed 's/^/      /'
        is "values after the reset" "$(state)" "8192 7 irq 0 ring 256 rps 2 bbr"
        is "status" "$(status_of 1)" applied
        said=$(narrows undo 2>&1); is "undo exits with" $? 0; echo "$said" | sed 's/^/      /'
        is "values after undo" "$(state)" "$(saved state)"; is "files of narrows below /etc" "$(lasting_files)" "$(saved files)"
        hard_reset ;;
    3)
        ip link set "$nic" up
        is "values after the next reset" "$(state)" "$(saved state)"
        is "files of narrows below /etc" "$(lasting_files)" "$(saved files)"
        is "narrows-boot.service" "$(systemctl show -P LoadState narrows-boot.service)" not-found
        is "status" "$(status_of 1)" undone
        end ;;
esac
