#!/usr/bin/env python3
"""prune.py TREE INSTANTS OUT.tar.gz: makes a small archive of the first instants of a recorded tree.

Left out: kernel threads that are not in state D. Kept: every other task and every other file. The archive is the same
whenever the tree is: names sorted, times and owners zero.
"""
import gzip
import io
import os
import sys
import tarfile

KERNEL_THREAD = 0x00200000  # PF_KTHREAD of include/linux/sched.h, in field 9 of /proc/PID/stat


def is_idle_kernel_thread(folder):
    try:
        with open(os.path.join(folder, "stat"), errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return False
    return len(fields) > 6 and fields[0] != "D" and int(fields[6]) & KERNEL_THREAD != 0


def names(tree, instants):
    for instant in range(instants):
        for folder, folders, files in os.walk(os.path.join(tree, str(instant))):
            if os.path.basename(folder) == "proc":
                folders[:] = [name for name in folders
                              if not name.isdigit() or not is_idle_kernel_thread(os.path.join(folder, name))]
            folders.sort()
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            yield from (os.path.join(folder, name) for name in sorted(files + links))


def main():
    tree, instants, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in names(tree, instants):
            member = archive.gettarinfo(path, os.path.relpath(path, tree))
            member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
            member.mode = 0o644
            if member.isreg():
                with open(path, "rb") as file:
                    archive.addfile(member, file)
            else:
                archive.addfile(member)
    with open(output, "wb") as file, gzip.GzipFile("", "wb", 9, file, 0) as packed:
        packed.write(whole.getvalue())
    print(f"{output}: {os.path.getsize(output)} bytes")


main()
