#!/bin/bash
# initramfs.sh OUTPUT KERNEL_VERSION: writes the initramfs that turns the host's / into the guest's /.
# busybox-static, the few modules needed to reach virtiofs, and an init that stacks a tmpfs over it.
set -euo pipefail
output=$1 kernel=$2
root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,upper,new}
cp /bin/busybox "$root/bin/"

wanted="virtio_pci virtiofs overlay virtio_net virtio_blk"
for module in $wanted; do modprobe -S "$kernel" --show-depends "$module"; done |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
    while read -r file; do cp "$file" "$root/modules/"; basename "$file"; done > "$root/modules/order"

cat > "$root/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for m in $($b cat /modules/order); do $b insmod /modules/$m || $b echo "insmod $m failed"; done
$b mount -t virtiofs -o ro hostroot /lower
$b mount -t tmpfs -o size=60% tmpfs /upper; $b mkdir -p /upper/data /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /new
$b mkdir -p /new/lab /new/tmp /new/run
for m in proc sys dev; do $b mount --move /$m /new/$m; done
$b mkdir -p /new/dev/pts /new/dev/shm; $b ln -s /proc/self/fd /new/dev/fd
$b mount -t devpts devpts /new/dev/pts
for d in dev/shm run tmp; do $b mount -t tmpfs tmpfs /new/$d; done
$b chmod 1777 /new/tmp
$b mount -t debugfs debugfs /new/sys/kernel/debug
$b mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
$b mount -t virtiofs lab /new/lab
exec $b switch_root /new /bin/bash /lab/.boot.sh
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$output"
