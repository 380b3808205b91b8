// iowait_waiter CPU: submits an io_uring read of a pipe nobody writes to, on CPU, and waits for it for ever.
// Since 6.1.39 the kernel counts such a wait as I/O wait: the CPU shows iowait while no disk moves.
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(argc > 1 ? atoi(argv[1]) : 0, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus)) return perror("sched_setaffinity"), 1;

    struct io_uring_params params = {0};
    int ring = syscall(__NR_io_uring_setup, 4, &params), ends[2];
    if (ring < 0 || pipe(ends)) return perror("io_uring_setup or pipe"), 1;
    int protection = PROT_READ | PROT_WRITE, shared = MAP_SHARED | MAP_POPULATE;
    char *queue = mmap(0, params.sq_off.array + params.sq_entries * sizeof(unsigned), protection, shared, ring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries = mmap(0, params.sq_entries * sizeof *entries, protection, shared, ring, IORING_OFF_SQES);
    if (queue == MAP_FAILED || entries == MAP_FAILED) return perror("mmap of the ring"), 1;

    static char buffer[64];
    entries[0] = (struct io_uring_sqe){.opcode = IORING_OP_READ, .fd = ends[0], .addr = (unsigned long)buffer, .len = sizeof buffer};
    ((unsigned *)(queue + params.sq_off.array))[0] = 0;
    atomic_store((_Atomic unsigned *)(queue + params.sq_off.tail), 1);
    for (unsigned submit = 1;; submit = 0)
        if (syscall(__NR_io_uring_enter, ring, submit, 1, IORING_ENTER_GETEVENTS, 0, 0) < 0) return perror("io_uring_enter"), 1;
}
