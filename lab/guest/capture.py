#!/usr/bin/env python3
"""Copies one host, at several instants, into a tar file holding 0/, 1/, ... each laid out as /.

usage: capture.py TAR [INSTANTS] [SECONDS] [EXTRA_FILE...]

At each instant counters are read first and close together, then tasks. Settings do not change during a recording: they
are read once, at its end, and put into every instant. Everything is held in memory until then, so that writing does not
disturb the next instant. A file the kernel refuses is left out. Only `comm` names a task: no command line, no
environment. Kernel threads that never ran, and sleep now, are left out: they are many and say nothing.
"""
import glob, io, os, sys, tarfile, time

COUNTERS = """
/proc/uptime /proc/stat /proc/interrupts /proc/softirqs /proc/net/softnet_stat /proc/diskstats /proc/schedstat
/proc/loadavg /proc/meminfo /proc/vmstat /proc/slabinfo /proc/zoneinfo /proc/buddyinfo /proc/pressure/*
/proc/net/netstat /proc/net/snmp /proc/net/snmp6 /proc/net/sockstat /proc/net/sockstat6 /proc/net/dev
/proc/net/tcp /proc/net/tcp6 /proc/net/unix /proc/net/rpc/* /proc/self/mountstats
/sys/class/net/*/statistics/* /sys/fs/cgroup/*.stat /sys/fs/cgroup/*.pressure
/sys/fs/cgroup/*.slice/*.stat /sys/fs/cgroup/*.slice/*/*.stat /sys/fs/cgroup/*.slice/*/cpu.max
/sys/fs/cgroup/*.slice/*/memory.max /sys/fs/cgroup/*.slice/*/memory.current /sys/fs/cgroup/*.slice/*/cgroup.procs
/sys/kernel/debug/sunrpc/rpc_clnt/*/tasks /sys/kernel/debug/sunrpc/rpc_xprt/*/info
""".split()
SETTINGS = """
/proc/cpuinfo /proc/mounts /proc/self/mounts /proc/cmdline /proc/version /proc/modules /proc/swaps /proc/filesystems
/proc/sys/net/core/* /proc/sys/net/ipv4/* /proc/sys/net/unix/* /proc/sys/vm/* /proc/sys/fs/* /proc/sys/kernel/*
/proc/sys/kernel/random/entropy_avail /proc/sys/sunrpc/* /proc/irq/*/smp_affinity_list
/proc/irq/*/effective_affinity_list /proc/irq/default_smp_affinity /proc/fs/nfsd/threads
/sys/class/net/*/mtu /sys/class/net/*/speed /sys/class/net/*/tx_queue_len /sys/class/net/*/operstate
/sys/class/net/*/type /sys/class/net/*/queues/*/rps_cpus /sys/class/net/*/queues/*/rps_flow_cnt
/sys/class/net/*/queues/*/xps_cpus /sys/block/*/queue/scheduler /sys/block/*/queue/rotational
/sys/block/*/queue/nr_requests /sys/devices/system/cpu/online /sys/devices/system/cpu/possible
/sys/devices/system/cpu/present /sys/devices/system/cpu/cpu*/topology/core_id
/sys/devices/system/cpu/cpu*/topology/physical_package_id /sys/devices/system/cpu/cpu*/topology/thread_siblings_list /sys/devices/system/node/node*/cpulist
/sys/devices/system/clocksource/clocksource0/current_clocksource /sys/kernel/mm/transparent_hugepage/enabled
/sys/module/nfs/parameters/* /sys/module/sunrpc/parameters/* /sys/module/nfsv4/parameters/*
/sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/cgroup.subtree_control /etc/os-release
""".split()
SECRETS = ("tcp_fastopen_key", "stable_secret", "boot_id", "uuid", "kptr_restrict_key")
TASK_FILES = "comm status schedstat wchan syscall stack".split()
URING = "anon_inode:[io_uring]"
PF_KTHREAD = 0x00200000


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def expand(patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)) if "*" in pattern else [pattern]:
            if os.path.isfile(path) and os.path.basename(path) not in SECRETS:
                yield path


def idle_kernel_thread(stat):
    fields = stat[stat.rindex(b")") + 2:].split()
    state, flags, utime, stime = fields[0], int(fields[6]), int(fields[11]), int(fields[12])
    return flags & PF_KTHREAD and state in b"SI" and utime + stime == 0


def names(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


def io_uring_links(process):
    """Finds which descriptors are io_uring instances: that a task uses io_uring shows in no other file."""
    for fd in names(process + "/fd"):
        try:
            if os.readlink(f"{process}/fd/{fd}") == URING:
                yield f"{process}/fd/{fd}", None
        except OSError:
            continue


def tasks():
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if pid == os.getpid():
            continue
        process = f"/proc/{pid}"
        for thread in names(process + "/task"):
            task = f"{process}/task/{thread}"
            stat = read(task + "/stat")
            if not stat or idle_kernel_thread(stat):
                continue
            flags = int(stat[stat.rindex(b")") + 2:].split()[6])
            kernel_thread = flags & PF_KTHREAD and b") D " not in stat
            yield task + "/stat", stat
            for name in ("comm", "wchan") if kernel_thread else TASK_FILES:
                yield f"{task}/{name}", read(f"{task}/{name}")
            if thread == str(pid):
                yield process + "/stat", read(process + "/stat")
                yield process + "/comm", read(process + "/comm")
                yield from io_uring_links(process)


def add(archive, path, content):
    entry = tarfile.TarInfo(path)
    if path.rpartition("/")[0].endswith("/fd"):
        entry.type, entry.linkname = tarfile.SYMTYPE, URING
        archive.addfile(entry)
    elif content is not None:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def main():
    instants = int(sys.argv[2]) if len(sys.argv) > 2 else 6
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 1
    counters = list(expand(COUNTERS))
    recorded, start = [], time.monotonic()
    for number in range(instants):
        time.sleep(max(0, start + number * seconds - time.monotonic()))
        began = time.monotonic()
        now = [(path, read(path)) for path in counters]
        middle = time.monotonic()
        now.extend(tasks())
        recorded.append(now)
        print(f"instant {number} at {began - start:.2f} s: counters {middle - began:.2f} s, tasks {time.monotonic() - middle:.2f} s")
    settings = [(path, read(path)) for path in expand(SETTINGS + sys.argv[4:])]
    with tarfile.open(sys.argv[1], "w", format=tarfile.GNU_FORMAT) as archive:
        for number, now in enumerate(recorded):
            for path, content in now + settings:
                add(archive, f"{number}{path}", content)


main()
