# Guest side of the NFS scenario: nfs_slots.sh PROCESSES MOUNT_OPTIONS [DELAY_MS] [SLOTS]
# An NFSv4.1 server and its client in one guest; replies are delayed on loopback, so each RPC costs DELAY_MS.
# PROCESSES workers stat() 180 files each, over and over. With `noac` every stat is a GETATTR; more workers than
# SLOTS must then wait for a session slot.
set -u
. /lab/common.sh
processes=$1 options=$2 delay_ms=${3:-15} slots=${4:-16}
for module in sunrpc nfsd nfsv4 sch_netem sch_prio cls_u32; do modprobe $module || echo "no module $module"; done
echo "$slots" > /sys/module/nfs/parameters/max_session_slots
sysctl -q fs.leases-enable=0 # no delegations: a client holding one would answer stat() by itself
mkdir -p /srv/site /var/www/site /var/lib/nfs/v4recovery /run/rpc_pipefs
mount -t tmpfs -o size=64m tmpfs /srv/site
mount -t nfsd nfsd /proc/fs/nfsd; mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
for i in $(seq 0 179); do mkdir -p /srv/site/d$((i % 12)); echo "<?php return $i;" > /srv/site/d$((i % 12))/f$i.php; done
echo '/srv/site *(rw,no_root_squash,no_subtree_check,fsid=0,insecure,async)' > /etc/exports
exportfs -ra; rpc.nfsd -N 3 16; rpc.mountd -N 3

timeout 40 mount -t nfs4 -o "vers=4.1,proto=tcp,$options" 127.0.0.1:/ /var/www/site || exit 1
grep ' /var/www/site ' /proc/mounts
find /var/www/site -type f -size +0 > /dev/null # fills the dentry cache, and the attribute cache if there is one

# Only what the server sends (source port 2049) is delayed.
tc qdisc add dev lo root handle 1: prio bands 4 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
tc qdisc add dev lo parent 1:4 handle 40: netem delay "${delay_ms}ms" limit 10000
tc filter add dev lo parent 1: protocol ip prio 1 u32 match ip sport 2049 0xffff flowid 1:4

service site /lab/statter /var/www/site "$processes" 180 1000 &
sleep 3 # every worker is in its first round
record /etc/exports
pkill -TERM -o statter # the oldest is the parent, which tells the rest
wait
pack
