// udp send ADDRESS PACKETS_PER_SECOND SECONDS: small datagrams over 64 flows (so that a multiqueue card spreads them).
// udp sink: reads them all.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLOWS = 64, PORT = 9009 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static int sink(void) {
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    if (bind(socket_fd, (void *)&any, sizeof any)) return perror("bind"), 1;
    for (char buffer[2048];;) recv(socket_fd, buffer, sizeof buffer, 0);
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "sink")) return sink();
    if (argc != 5) return 64;
    double rate = atof(argv[3]), limit = atof(argv[4]), start = seconds();
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    inet_pton(AF_INET, argv[2], &peer.sin_addr);
    int flows[FLOWS];
    for (int i = 0; i < FLOWS; i++) {
        flows[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (connect(flows[i], (void *)&peer, sizeof peer)) return perror("connect"), 1;
    }
    long sent = 0, refused = 0;
    for (double now; (now = seconds() - start) < limit;) {
        for (long due = now * rate; sent + refused < due;)
            if (send(flows[(sent + refused) % FLOWS], "0123456789abcdef", 16, MSG_DONTWAIT) < 0) refused++; else sent++;
        usleep(1000);
    }
    printf("sent %ld, refused %ld\n", sent, refused);
}
