// statter DIRECTORY PROCESSES FILES PAUSE_MS: each process stat()s FILES files one after another, pauses, and starts
// again, as a PHP worker revalidating its scripts does, until SIGTERM. Then prints rounds and how long a round took.
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

struct tally { long rounds; double total, longest; };
static struct { atomic_bool stop; struct tally tallies[256]; } *shared;

static void stop(int signal) { (void)signal; atomic_store(&shared->stop, 1); }

static void worker(const char *directory, int files, int pause_ms, struct tally *tally) {
    for (;;) {
        double began = seconds();
        for (int i = 0; i < files; i++) {
            char path[512];
            struct stat attributes;
            snprintf(path, sizeof path, "%s/d%d/f%d.php", directory, i % 12, i);
            if (stat(path, &attributes)) perror(path);
            if (atomic_load(&shared->stop)) _exit(0); // an unfinished round is not counted
        }
        double took = seconds() - began;
        tally->rounds++, tally->total += took;
        if (took > tally->longest) tally->longest = took;
        usleep(pause_ms * 1000);
    }
}

int main(int argc, char **argv) {
    int processes = argc == 5 ? atoi(argv[2]) : 0;
    if (processes < 1 || processes > 256) return 64;
    shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return perror("mmap"), 1;
    for (int i = 0; i < processes; i++)
        if (!fork()) worker(argv[1], atoi(argv[3]), atoi(argv[4]), &shared->tallies[i]);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop, .sa_flags = SA_RESTART}, 0);
    while (wait(0) > 0) {}
    struct tally sum = {0};
    for (int i = 0; i < processes; i++) {
        sum.rounds += shared->tallies[i].rounds, sum.total += shared->tallies[i].total;
        if (shared->tallies[i].longest > sum.longest) sum.longest = shared->tallies[i].longest;
    }
    printf("%d processes, %ld rounds of %s files: mean %.3f s, longest %.3f s\n", processes, sum.rounds, argv[3],
           sum.rounds ? sum.total / sum.rounds : 0, sum.longest);
}
