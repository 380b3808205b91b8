#!/bin/bash
# initramfs.sh OUTPUT KERNEL_VERSION: writes the initramfs that turns the host's / into the guest's /.
# busybox-static, the few modules needed to reach virtiofs, and an init that stacks a tmpfs over it, or the first virtio
# disk if there is one. Kernel arguments: lab.init=systemd boots that, lab.keep=,UNIT,UNIT, are not masked then.
set -euo pipefail
output=$1 kernel=$2
root=$(mktemp -d); trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,modules,proc,sys,dev,lower,upper,new}
cp /bin/busybox "$root/bin/"

wanted="virtio_pci virtiofs overlay virtio_net virtio_blk ext4 crc32c_generic"
for module in $wanted; do modprobe -S "$kernel" --show-depends "$module"; done |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
    while read -r file; do cp "$file" "$root/modules/"; basename "$file"; done > "$root/modules/order"

cat > "$root/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
for m in $($b cat /modules/order); do $b insmod /modules/$m || $b echo "insmod $m failed"; done
$b mount -t virtiofs -o ro hostroot /lower
if [ -b /dev/vda ]; then $b mount -t ext4 /dev/vda /upper; else $b mount -t tmpfs -o size=60% tmpfs /upper; fi
$b mkdir -p /upper/data /upper/work
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
$b grep -q lab.init=systemd /new/proc/cmdline || exec $b switch_root /new /bin/bash /lab/.boot.sh

units=/new/run/systemd/system; $b mkdir -p $units
keep=$($b sed 's/.*lab.keep=//; s/ .*//' /new/proc/cmdline)
mask() { case $keep in *,$1,*) ;; *) $b ln -sf /dev/null $units/$1 ;; esac; }
# What this host enables is not the guest's affair, and slow; what the guest itself enables lies in the upper layer.
for unit in /lower/etc/systemd/system/*.wants/*; do mask ${unit##*/}; done
for unit in getty.target systemd-logind.service systemd-user-sessions.service systemd-tmpfiles-clean.timer \
    systemd-remount-fs.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount systemd-machine-id-commit.service \
    postgresql.service rpcbind.service systemd-networkd.service dbus.service dbus.socket systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service systemd-sysusers.service systemd-random-seed.service modprobe@dm_mod.service \
    modprobe@loop.service systemd-ask-password-wall.path systemd-ask-password-console.path; do mask $unit; done
printf '[Unit]\nRequires=multi-user.target\nWants=lab.service\n' > $units/lab.target
printf '[Unit]\nAfter=multi-user.target\n[Service]\nType=exec\nExecStart=/bin/bash /lab/.boot.sh\n' > $units/lab.service
exec $b switch_root /new /lib/systemd/systemd --unit=lab.target
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$output"
