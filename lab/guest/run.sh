#!/bin/bash
# Boots a Debian cloud kernel whose / is this host's / (read-only virtiofs under a tmpfs overlay), runs a script, powers off.
#
#   run.sh [-c CPUS] [-m MEGABYTES] [-t SECONDS] [-n TAP:QUEUES[:MODEL]] [-w WORKDIR] [-i systemd] [-k UNIT]... [-d DISK]
#          [-f FILE]... SCRIPT [ARGS...]
#
# -i systemd boots systemd to multi-user.target, and runs the script as lab.service; without it the script is process 1.
# Units that are enabled on this host are masked there, but for every -k UNIT.
# -d DISK keeps what the guest writes below / in an ext4 image (made if it is not there): the next boot finds it.
# Every -f FILE (or directory) and the script are copied to WORKDIR/share, which is /lab, writable, inside the guest.
# The guest gets its own tmpfs on /tmp and /run: anything it needs from there must come by -f.
# The script's output is printed and kept in WORKDIR/share/out.log; the exit status is the script's.
# KVM is used where the CPU has VMX or SVM, else TCG; LAB_ACCEL=kvm|tcg forces one. Needs: qemu-system-x86 qemu-system-common
# linux-image-cloud-amd64 busybox-static cpio kmod.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
invoked=("$@")
lab=${LAB:-${TMPDIR:-/tmp}/narrows-lab}
cpus=4 memory=2048 timeout=120 tap='' work='' init='' keep='' disk='' files=()
while getopts c:m:t:n:w:i:k:d:f: option; do
    case $option in
        c) cpus=$OPTARG ;; m) memory=$OPTARG ;; t) timeout=$OPTARG ;; n) tap=$OPTARG ;;
        w) work=$OPTARG ;; f) files+=("$OPTARG") ;;
        i) init=$OPTARG ;; k) keep+=,$OPTARG ;; d) disk=$OPTARG ;; *) exit 64 ;;
    esac
done
shift $((OPTIND - 1))
script=$1; shift
mkdir -p "$lab"
work=${work:-$(mktemp -d "$lab/vm.XXXXXX")}; share=$work/share
rm -rf "$work"; mkdir -p "$share"
cp "$script" "$share/main.sh"
for file in ${files[@]+"${files[@]}"}; do cp -r "$file" "$share/"; done

kernel=${KERNEL:-$(find /lib/modules -maxdepth 1 -name '*cloud*' -printf '%f\n' | sort -V | tail -1)}
initramfs=$lab/initramfs-$kernel.gz
[ "$initramfs" -nt "$here/initramfs.sh" ] || bash "$here/initramfs.sh" "$initramfs" "$kernel"

cat > "$share/.boot.sh" <<BOOT
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
ip link set lo up; hostname labguest; cd /lab
export NARROWS_ARGS=$(printf %q "${NARROWS_ARGS:-}")
export STRIDE=$(printf %q "${STRIDE:-}") KINDS=$(printf %q "${KINDS:-}") TUNED=$(printf %q "${TUNED:-}")
bash /lab/main.sh $(printf '%q ' "$@") > /lab/out.log 2>&1; status=\$?
[ -e /lab/status ] || echo \$status > /lab/status
sync; echo o > /proc/sysrq-trigger; sleep 30
BOOT

accel=${LAB_ACCEL:-}
# /dev/kvm alone proves nothing: the kvm_pvm module offers it on hosts without VMX or SVM, and a stock kernel hangs there.
if [ -z "$accel" ]; then
    if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then accel=kvm; else accel=tcg; fi
fi
case $accel in kvm) machine=(-accel kvm -cpu host) ;; *) machine=(-accel tcg,thread=multi -cpu max) ;; esac

started=()
stop_all() { for pid in ${started[@]+"${started[@]}"}; do kill "$pid" 2> /dev/null || true; done; }
trap stop_all EXIT
export_fs() { # SOCKET SOURCE CACHE
    /usr/lib/qemu/virtiofsd --socket-path="$1" -o source="$2" -o cache="$3" -o sandbox=chroot > "$1.log" 2>&1 &
    started+=($!)
    for _ in $(seq 100); do [ -S "$1" ] && return; sleep 0.05; done
    echo "virtiofsd did not open $1" >&2; cat "$1.log" >&2; exit 70
}
export_fs "$work/root.sock" / always
export_fs "$work/lab.sock" "$share" none

network=()
if [ -n "$tap" ]; then
    IFS=: read -r interface queues model <<< "$tap"
    case ${model:=virtio-net-pci} in
        virtio-net-pci) model+=",mq=on,vectors=$((2 * queues + 2)),rx_queue_size=1024" ;;
    esac
    network=(-netdev "tap,id=n0,ifname=$interface,script=no,downscript=no,queues=$queues"
        -device "$model,netdev=n0,mac=52:54:00:4c:41:42")
fi
drive=()
if [ -n "$disk" ]; then
    [ -e "$disk" ] || { truncate -s 512M "$disk"; mkfs.ext4 -q "$disk"; }
    drive=(-drive "file=$disk,if=virtio,format=raw,cache=writeback")
fi
qemu-system-x86_64 -machine q35 "${machine[@]}" -smp "$cpus" -m "$memory" \
    -object "memory-backend-memfd,id=mem,size=${memory}M,share=on" -numa node,memdev=mem \
    -chardev socket,id=c0,path="$work/root.sock" -device vhost-user-fs-pci,chardev=c0,tag=hostroot \
    -chardev socket,id=c1,path="$work/lab.sock" -device vhost-user-fs-pci,chardev=c1,tag=lab \
    ${network[@]+"${network[@]}"} ${drive[@]+"${drive[@]}"} ${QEMU_EXTRA:-} -kernel "/boot/vmlinuz-$kernel" -initrd "$initramfs" \
    -append "console=ttyS0 quiet panic=5 no_timer_check net.ifnames=0 lab.init=$init lab.keep=$keep, ${KERNEL_ARGS:-}" \
    -display none -serial "file:$work/console.log" -no-reboot -monitor none > "$work/qemu.log" 2>&1 &
qemu=$!; started+=("$qemu")
deadline=$((SECONDS + timeout)) boot_deadline=$((SECONDS + 90))
while kill -0 "$qemu" 2> /dev/null; do
    # Without systemd a guest is up in seconds. One that is not hangs.
    if [ -z "$init" ] && ((SECONDS >= boot_deadline)) && [ ! -e "$share/out.log" ]; then kill -ABRT "$qemu"; break; fi
    if ((SECONDS >= deadline)); then echo "guest stopped after ${timeout} s" >&2; kill "$qemu"; break; fi
    sleep 0.2
done
# QEMU 7.2 under TCG now and then dies on an MSI-X assertion, or hangs before the kernel's first line. Before the script has begun, booting again is safe.
aborted=0; wait "$qemu" 2> /dev/null || aborted=$?
if ((aborted == 134)) && [ ! -e "$share/out.log" ] && ((${LAB_ATTEMPT:=1} < 3)); then
    echo "QEMU aborted while booting: attempt $((LAB_ATTEMPT + 1))" >&2
    stop_all; LAB_ATTEMPT=$((LAB_ATTEMPT + 1)) exec "$here/run.sh" "${invoked[@]}"
fi
cat "$share/out.log" 2> /dev/null || { tail -30 "$work/console.log"; cat "$work/qemu.log"; } >&2
exit "$(cat "$share/status" 2> /dev/null || echo 70)"
