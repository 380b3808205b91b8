# Guest side of the IRQ scenario: irq_skew.sh pinned|spread [WAITERS]
# pinned: every interrupt of the 8-queue network card goes to CPU 0. spread: queue N to CPU N.
# WAITERS io_uring waiters sit on CPUs 3, 5, 6: each makes its idle CPU show iowait.
set -u
. /lab/common.sh
placement=$1 waiters=${2:-0}
device=$(ls /sys/class/net | grep -v '^lo$' | head -1)
ip link set "$device" name eth0; ip address add 10.77.0.2/24 dev eth0; ip link set eth0 up
ethtool -L eth0 combined 8

bus=$(basename "$(readlink -f /sys/class/net/eth0/device)")
while read -r number name; do
    case $placement in pinned) cpu=0 ;; *) cpu=${name##*.} ;; esac
    echo "$cpu" > "/proc/irq/$number/smp_affinity_list"
done < <(awk -v bus="$bus-" 'index($NF, bus) && /put\.[0-9]+$/ { sub(":", "", $1); print $1, $NF }' /proc/interrupts)

mkdir -p /run/web
cat > /run/web/nginx.conf <<'CONF'
worker_processes 8;
pid /run/web/nginx.pid;
error_log /run/web/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000;
    server { listen 80 reuseport; location / { return 200 "ok\n"; } }
}
CONF
service nginx nginx -c /run/web/nginx.conf
service sink /lab/udp sink &
for cpu in 3 5 6; do
    [ "$waiters" -gt 0 ] || break
    waiters=$((waiters - 1)); service "waiter$cpu" /lab/iowait_waiter $cpu &
done

touch /lab/ready
for _ in $(seq 300); do [ -e /lab/loaded ] && break; sleep 0.1; done
record /run/web/nginx.conf
touch /lab/done
pack
