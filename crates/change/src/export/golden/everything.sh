#!/bin/sh
# narrows plan sha256:5fd40c3521804e03d2856ef9dc37f114daceb69b7d6ffc5d29f3b00a5ee7be06 for web-07
# The same changes as `narrows apply`, without its journal, its checks and its undo.
set -eu
[ "$(cat /etc/machine-id)" = 0123456789abcdef0123456789abcdef ] || { echo 'this plan is for another host' >&2; exit 1; }
command -v patch > /dev/null || { echo 'patch(1) is not installed' >&2; exit 1; }
unchanged() {
    printf '%s  %s\n' "$1" "$2" | sha256sum --check --status ||
        { echo "$2 was changed since the plan was made" >&2; exit 1; }
}
[ ! -e /etc/modules-load.d/90-narrows.conf ] || { echo /etc/modules-load.d/90-narrows.conf 'is there already' >&2; exit 1; }
[ ! -e /etc/sysctl.d/90-narrows.conf ] || { echo /etc/sysctl.d/90-narrows.conf 'is there already' >&2; exit 1; }
unchanged 038929e3126717ce9e8f6981c0e7ee3139c84061b2bbf05dffd5e350fe3533cf /etc/sysctl.d/50-web.conf
[ ! -e /etc/narrows/boot.sh ] || { echo /etc/narrows/boot.sh 'is there already' >&2; exit 1; }
[ ! -e /etc/systemd/system/narrows-boot.service ] || { echo /etc/systemd/system/narrows-boot.service 'is there already' >&2; exit 1; }
unchanged f36fcb0b36059b7272ae1d41fcde883d612def0b6036328cda50bae4450133ea /etc/nginx/nginx.conf
unchanged 90bc477183c1a598dcec0bd863b3de847dba5f3306061f2db7843d3ba34d2ca0 /etc/php/8.2/fpm/pool.d/www.conf
[ ! -e /etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf ] || { echo /etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf 'is there already' >&2; exit 1; }
unchanged 8b02d7b4f559e693247bd1316639dbf72a032473609c987164bdcf47170b954d /etc/fstab

# 1. tcp_bbr: absent → tcp_bbr (sockets.loss-limits-cubic)
# why: the numbers of sockets.loss-limits-cubic
# promises: it moves
modprobe -- tcp_bbr

# 2. net.core.somaxconn: 128 → 4096 (sockets.accept-queue-overflow)
# why: the numbers of sockets.accept-queue-overflow
# promises: it moves
printf '%s\n' 4096 > /proc/sys/net/core/somaxconn

# 3. vm.swappiness: 60 → 10 (sockets.accept-queue-overflow)
# why: the numbers of sockets.accept-queue-overflow
# promises: it moves
printf '%s\n' 10 > /proc/sys/vm/swappiness

# 4. irq 24: 0 → 1 (irq.skew)
# why: the numbers of irq.skew
# promises: it moves
printf '%s\n' 1 > /proc/irq/24/smp_affinity_list

# 5. eth0/queues/rx-0/rps_cpus: 0 → 3 (irq.skew)
# why: the numbers of irq.skew
# promises: it moves
printf '%s\n' 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus

# 6. /etc/nginx/nginx.conf: old → new (nginx.connections-short)
# why: the numbers of nginx.connections-short
# promises: it moves
patch --silent --unified -- /etc/nginx/nginx.conf <<'narrows'
--- /etc/nginx/nginx.conf
+++ /etc/nginx/nginx.conf
@@ -4 +4 @@
-    worker_connections 512;
+    worker_connections 4096;
narrows

# 7. /etc/php/8.2/fpm/pool.d/www.conf: old → new (nginx.connections-short)
# why: the numbers of nginx.connections-short
# promises: it moves
patch --silent --unified -- /etc/php/8.2/fpm/pool.d/www.conf <<'narrows'
--- /etc/php/8.2/fpm/pool.d/www.conf
+++ /etc/php/8.2/fpm/pool.d/www.conf
@@ -3 +3 @@
-pm.max_children = 5
+pm.max_children = 40
narrows

# 8. /etc/haproxy/haproxy.cfg: old → new (nginx.connections-short)
# why: the numbers of nginx.connections-short
# promises: it moves
# By hand, for secrets are left out: edit /etc/haproxy/haproxy.cfg:
#   --- /etc/haproxy/haproxy.cfg
#   +++ /etc/haproxy/haproxy.cfg
#   @@ -1,3 +1,3 @@
#    global
#   -    stats socket /run/h user bob password <redacted>
#   +    stats socket /run/h user bob password <redacted>
#        maxconn 100

# 9. /etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf: 1024 → LimitNOFILE=65536 (tasks.files-short)
# why: the numbers of tasks.files-short
# promises: it moves
mkdir -p -- /etc/systemd/system/php8.2-fpm.service.d
cat > /etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf <<'narrows'
# Written by narrows; `narrows undo` takes it out again.

[Service]
LimitNOFILE=65536
narrows
chmod 0644 -- /etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf

# 10. mount /srv/www: actimeo=600 (nfs.slot-exhaustion)
# why: the numbers of nfs.slot-exhaustion
# promises: it moves

# What makes it last over a boot
mkdir -p -- /etc/modules-load.d
cat > /etc/modules-load.d/90-narrows.conf <<'narrows'
# Written by narrows; `narrows undo` takes it out again.
tcp_bbr
narrows
chmod 0644 -- /etc/modules-load.d/90-narrows.conf
mkdir -p -- /etc/sysctl.d
cat > /etc/sysctl.d/90-narrows.conf <<'narrows'
# Written by narrows; `narrows undo` takes it out again.
net.core.somaxconn = 4096
narrows
chmod 0644 -- /etc/sysctl.d/90-narrows.conf
patch --silent --unified -- /etc/sysctl.d/50-web.conf <<'narrows'
--- /etc/sysctl.d/50-web.conf
+++ /etc/sysctl.d/50-web.conf
@@ -2 +2 @@
-vm.swappiness = 60
+vm.swappiness = 10
narrows
mkdir -p -- /etc/narrows
cat > /etc/narrows/boot.sh <<'narrows'
# Written by narrows; `narrows undo` takes it out again.
# begin irq 24
# The CPUs of interrupt virtio0-input.0.
irq=$(name=virtio0-input.0 awk 'BEGIN { tail = " " ENVIRON["name"] }
    $1 ~ /^[0-9]+:$/ {
        row = $0; gsub(/[ \t]+/, " ", row); sub(/ $/, "", row); at = length(row) - length(tail)
        if (at > 0 && substr(row, at + 1) == tail) { irq = $1; count++ }
    }
    END { if (count == 1) { sub(/:/, "", irq); print irq } }' /proc/interrupts)
if [ -n "$irq" ]; then
    printf '%s\n' 1 > "/proc/irq/$irq/smp_affinity_list"
else echo 'narrows: not one interrupt is named virtio0-input.0' >&2; fi
# end irq 24
# begin eth0/queues/rx-0/rps_cpus
printf '%s\n' 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus
# end eth0/queues/rx-0/rps_cpus
narrows
chmod 0644 -- /etc/narrows/boot.sh
mkdir -p -- /etc/systemd/system
cat > /etc/systemd/system/narrows-boot.service <<'narrows'
# Written by narrows; `narrows undo` takes it out again.
# begin narrows-boot.service
[Unit]
Description=Values that narrows set and that no other file keeps over a boot
Wants=systemd-udev-settle.service
After=systemd-udev-settle.service network.target
ConditionPathExists=/etc/narrows/boot.sh
[Service]
Type=oneshot
ExecStart=/bin/sh /etc/narrows/boot.sh
[Install]
WantedBy=multi-user.target
# end narrows-boot.service
narrows
chmod 0644 -- /etc/systemd/system/narrows-boot.service
patch --silent --unified -- /etc/fstab <<'narrows'
--- /etc/fstab
+++ /etc/fstab
@@ -2 +2 @@
-nas:/www /srv/www nfs4 rw,hard 0 0
+nas:/www /srv/www nfs4 rw,hard,actimeo=600 0 0
narrows
mkdir -p -- /etc/systemd/system/multi-user.target.wants
ln -sfn -- /etc/systemd/system/narrows-boot.service /etc/systemd/system/multi-user.target.wants/narrows-boot.service

# haproxy.service takes its files up
systemctl reload haproxy.service

# nginx.service takes its files up
systemctl reload nginx.service

# php8.2-fpm.service takes its files up
systemctl daemon-reload

# php8.2-fpm.service takes its files up
systemctl reload php8.2-fpm.service

# php8.2-fpm.service takes its files up when it is restarted:
# systemctl restart php8.2-fpm.service
