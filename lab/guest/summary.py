#!/usr/bin/env python3
"""summary.py TREE: the few numbers that say whether the fault was there, between the first and the last instant."""
import collections, glob, os, re, sys

tree = sys.argv[1]
numbers = sorted(int(n) for n in os.listdir(tree) if n.isdigit())
first, last = (f"{tree}/{n}" for n in (numbers[0], numbers[-1]))


def lines(path):
    try:
        return open(path).read().splitlines()
    except OSError:
        return []


def processors(root):
    return {l.split()[0]: list(map(int, l.split()[1:])) for l in lines(root + "/proc/stat") if l.startswith("cpu")}


seconds = [float(lines(r + "/proc/uptime")[0].split()[0]) for r in (first, last)]
elapsed = seconds[1] - seconds[0]
print(f"window {elapsed:.2f} s, instants at " + " ".join(
    f"{float(lines(f'{tree}/{n}/proc/uptime')[0].split()[0]) - seconds[0]:.2f}" for n in numbers))
before, after = processors(first), processors(last)
for name in after:
    delta = [b - a for a, b in zip(before[name], after[name])]
    total = sum(delta[:8]) or 1
    share = lambda i: f"{100 * delta[i] / total:.1f}"
    print(f"{name:5} user {share(0)} system {share(2)} idle {share(3)} iowait {share(4)} irq {share(5)} softirq {share(6)} %")


def network_interrupts(root):
    sums = None
    for line in lines(root + "/proc/interrupts"):
        if re.search(r"virtio\d+-(in|out)put\.\d+$", line):
            row = [int(x) for x in line.split()[1:] if x.isdigit()]
            sums = row if sums is None else [a + b for a, b in zip(sums, row)]
    return sums


a, b = network_interrupts(first), network_interrupts(last)
if a:
    delta = [y - x for x, y in zip(a, b)]
    print(f"network interrupts per CPU {delta}, CPU0 {100 * delta[0] / max(1, sum(delta)):.1f} % of {sum(delta) / elapsed:.0f}/s")
soft = [[[int(x, 16) for x in l.split()] for l in lines(r + "/proc/net/softnet_stat")] for r in (first, last)]
for index, what in ((0, "processed"), (1, "dropped"), (2, "time_squeeze")):
    print(f"softnet {what}", [y[index] - x[index] for x, y in zip(*soft)])


def disk_ticks(root):
    return sum(int(l.split()[12]) for l in lines(root + "/proc/diskstats"))


print(f"disk busy {disk_ticks(last) - disk_ticks(first)} ms;", "loadavg", lines(last + "/proc/loadavg")[0])
for line in lines(last + "/proc/pressure/io"):
    print("pressure io", line)
for number in numbers:
    states, waits = collections.Counter(), collections.Counter()
    for task in glob.glob(f"{tree}/{number}/proc/[0-9]*/task/*"):
        stat = open(task + "/stat").read()
        state = stat[stat.rindex(")") + 2]
        states[state] += 1
        wait = (lines(task + "/wchan") or ["?"])[0]
        if state == "D" or "io_uring" in wait or wait.startswith("io_cqring"):
            waits[f"{state} {wait}"] += 1
    queues = collections.Counter(l.partition("q:")[2] for f in glob.glob(
        f"{tree}/{number}/sys/kernel/debug/sunrpc/rpc_clnt/*/tasks") for l in lines(f))
    print(f"instant {number}: states {dict(states)}; waits {dict(waits)}" + (f"; rpc {dict(queues)}" if queues else ""))


def operations(root):
    found, fstype = {}, ""
    for line in lines(root + "/proc/self/mountstats"):
        fields = line.split()
        if line.startswith("device"):
            fstype = fields[7] if len(fields) > 7 else ""
        elif fstype.startswith("nfs") and re.fullmatch(r"[A-Z_0-9]+:", fields[0] if fields else "") and len(fields) >= 9:
            found[fields[0]] = list(map(int, fields[1:9]))
    return found


a, b = operations(first), operations(last)
totals = [0, 0, 0, 0]
for name in b:
    delta = [y - x for x, y in zip(a.get(name, [0] * 8), b[name])]
    if delta[0] > 0:
        count, queue, rtt, execute = delta[0], delta[5], delta[6], delta[7]
        totals = [x + y for x, y in zip(totals, (count, queue, rtt, execute))]
        print(f"nfs {name[:-1]} {count} ops ({count / elapsed:.0f}/s), queue {queue / count:.2f} ms, rtt {rtt / count:.2f} ms, execute {execute / count:.2f} ms each")
if totals[0]:
    print(f"nfs total {totals[0] / elapsed:.0f}/s, sum queue {totals[1]} ms, sum rtt {totals[2]} ms, queue/rtt {totals[1] / max(1, totals[2]):.2f}, "
          f"mean in flight {totals[2] / elapsed / 1000:.1f}, mean waiting for a slot {totals[1] / elapsed / 1000:.1f}")
