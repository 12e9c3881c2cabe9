// The least that a gateway for JT/T 808 terminals can do, and a bare echo beside it: what the gateway's processor time is
// measured against. One epoll loop a thread with a SO_REUSEPORT socket of its own. It finds frames between 7E flags,
// unescapes them, checks their XOR and answers: 0x8100 to a registration, 0x8001 to everything else. Nothing is decoded
// beyond the header, nothing is stored, no terminal is known.
//
// Usage: acknowledger tcp|udp PORT THREADS [echo]
// Prints "ready" once it listens on 127.0.0.1:PORT, and runs until it is killed.

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 65536,
    FRAME_BYTES = 4096,
    EVENTS = 256,
    DATAGRAMS = 64,
    DATAGRAM_BYTES = 2048,
    // An answer is 20 bytes of header, body and check, each of which may be escaped, and two flags.
    ANSWER_BYTES = 64,
    MAXIMUM_DESCRIPTORS = 1 << 20,
};

// The bytes of a frame that has not arrived completely; most connections have none.
typedef struct {
    uint8_t *bytes;
    uint32_t count;
} partial;

typedef struct {
    int isDatagram;
    int isEcho;
    int socket;
} job;

static partial partials[MAXIMUM_DESCRIPTORS];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int bound_socket(int isDatagram, int port) {
    int one = 1;
    int type = isDatagram ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (isDatagram) {
        int room = 4 << 20;
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    } else {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (!isDatagram && listen(fd, 4096) < 0) fail("listen");
    return fd;
}

// Removes the escapes in place of a copy; -1 when a pair is none.
static long unescape(const uint8_t *run, size_t count, uint8_t *plain) {
    size_t written = 0;
    for (size_t at = 0; at < count; at++) {
        uint8_t byte = run[at];
        if (byte == 0x7D) {
            if (count - at < 2 || (uint8_t)(run[at + 1] - 1) > 1) return -1;
            byte = (uint8_t)(0x7C + run[++at]);
        }
        plain[written++] = byte;
    }
    return (long)written;
}

static size_t put(uint8_t *output, size_t at, uint8_t byte) {
    if (byte != 0x7D && byte != 0x7E) {
        output[at] = byte;
        return at + 1;
    }
    output[at] = 0x7D;
    output[at + 1] = byte == 0x7D ? 1 : 2;
    return at + 2;
}

// Checks one frame and writes its answer; returns the answer's length, 0 for a frame that is refused.
static size_t answer(const uint8_t *run, size_t count, uint8_t *output) {
    static _Thread_local uint8_t scratch[FRAME_BYTES];
    static _Thread_local uint16_t flow;
    if (count > FRAME_BYTES) return 0;
    if (memchr(run, 0x7D, count)) {
        long plain = unescape(run, count, scratch);
        if (plain < 0) return 0;
        run = scratch;
        count = (size_t)plain;
    }
    uint8_t check = 0;
    for (size_t at = 0; at < count; at++) check ^= run[at];
    if (count < 13 || check != 0) return 0;
    int isLong = (run[2] & 0x40) != 0;
    size_t header = isLong ? 17 : 12;
    if (count < header + 1) return 0;
    int registers = run[0] == 0x01 && run[1] == 0x00;
    uint8_t frame[32] = {registers ? 0x81 : 0x80, registers ? 0x00 : 0x01, isLong ? 0x40 : 0, 5};
    memcpy(frame + 4, run + 4, header - 6);
    frame[header - 2] = (uint8_t)(flow >> 8);
    frame[header - 1] = (uint8_t)flow;
    flow++;
    memcpy(frame + header, run + header - 2, 2);
    // Registration: result and a two-digit code; otherwise the message's id and its result.
    uint8_t rest[3] = {run[0], run[1], 0};
    if (registers) memcpy(rest, "\0" "42", 3);
    memcpy(frame + header + 2, rest, 3);
    size_t length = header + 5;
    size_t written = 0;
    output[written++] = 0x7E;
    uint8_t sum = 0;
    for (size_t at = 0; at < length; at++) {
        sum ^= frame[at];
        written = put(output, written, frame[at]);
    }
    written = put(output, written, sum);
    output[written++] = 0x7E;
    return written;
}

// Answers every frame in `bytes`; `used` becomes the length of what is no longer needed.
static size_t answer_all(const uint8_t *bytes, size_t count, uint8_t *output, size_t room, size_t *used) {
    size_t written = 0;
    size_t start = 0;
    while (start < count && room - written >= ANSWER_BYTES) {
        const uint8_t *open = memchr(bytes + start, 0x7E, count - start);
        if (!open) {
            start = count;
            break;
        }
        start = (size_t)(open - bytes);
        const uint8_t *end = memchr(open + 1, 0x7E, count - start - 1);
        if (!end) break;
        size_t length = (size_t)(end - open) - 1;
        // Two flags side by side are the end of one frame and the beginning of the next.
        if (length > 0) written += answer(open + 1, length, output + written);
        start = (size_t)(end - bytes) + (length > 0);
    }
    *used = start;
    return written;
}

static void drop(int fd) {
    free(partials[fd].bytes);
    partials[fd] = (partial){0};
    close(fd);
}

static void serve_stream(int fd, uint8_t *buffer, uint8_t *output, int isEcho) {
    size_t kept = partials[fd].count;
    if (kept) memcpy(buffer, partials[fd].bytes, kept);
    ssize_t got = read(fd, buffer + kept, READ_BYTES);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) drop(fd);
        return;
    }
    size_t count = kept + (size_t)got;
    size_t used = count;
    const uint8_t *reply = buffer;
    size_t length = count;
    if (!isEcho) {
        reply = output;
        length = answer_all(buffer, count, output, 2 * READ_BYTES, &used);
    }
    // A client that does not read its answers is none of a reference's business.
    if (length && send(fd, reply, length, MSG_NOSIGNAL) != (ssize_t)length) return drop(fd);
    size_t rest = count - used;
    if (rest > FRAME_BYTES) return drop(fd);
    if (rest && !partials[fd].bytes) partials[fd].bytes = malloc(FRAME_BYTES);
    if (rest) memcpy(partials[fd].bytes, buffer + used, rest);
    if (!rest && partials[fd].bytes) {
        free(partials[fd].bytes);
        partials[fd].bytes = NULL;
    }
    partials[fd].count = (uint32_t)rest;
}

static void accept_some(int listener, int epoll) {
    int one = 1;
    for (int index = 0; index < 64; index++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (fd >= MAXIMUM_DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) close(fd);
    }
}

static void serve_datagrams(int fd, uint8_t *output, int isEcho) {
    static _Thread_local uint8_t input[DATAGRAMS][DATAGRAM_BYTES];
    static _Thread_local struct sockaddr_in peers[DATAGRAMS];
    struct mmsghdr messages[DATAGRAMS];
    struct mmsghdr answers[DATAGRAMS];
    struct iovec parts[DATAGRAMS];
    struct iovec replies[DATAGRAMS];
    for (int index = 0; index < DATAGRAMS; index++) {
        parts[index] = (struct iovec){input[index], DATAGRAM_BYTES};
        messages[index] = (struct mmsghdr){
            .msg_hdr = {.msg_name = &peers[index], .msg_namelen = sizeof peers[index], .msg_iov = &parts[index],
                        .msg_iovlen = 1}};
    }
    int got = recvmmsg(fd, messages, DATAGRAMS, MSG_DONTWAIT, NULL);
    int count = 0;
    size_t written = 0;
    for (int index = 0; index < got; index++) {
        size_t used;
        uint8_t *reply = input[index];
        size_t length = messages[index].msg_len;
        if (!isEcho) {
            reply = output + written;
            length = answer_all(input[index], messages[index].msg_len, reply, DATAGRAM_BYTES, &used);
            written += length;
        }
        if (!length) continue;
        replies[count] = (struct iovec){reply, length};
        answers[count] = (struct mmsghdr){
            .msg_hdr = {.msg_name = &peers[index], .msg_namelen = messages[index].msg_hdr.msg_namelen,
                        .msg_iov = &replies[count], .msg_iovlen = 1}};
        count++;
    }
    for (int sent = 0; sent < count;) {
        int more = sendmmsg(fd, answers + sent, (unsigned)(count - sent), MSG_NOSIGNAL);
        sent += more > 0 ? more : 1;
    }
}

_Noreturn static void *run(void *argument) {
    const job *work = argument;
    uint8_t *buffer = malloc(READ_BYTES + FRAME_BYTES);
    // Also room for the answers of DATAGRAMS datagrams.
    uint8_t *output = malloc(2 * READ_BYTES);
    int listener = work->socket;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    if (!buffer || !output || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll");
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int index = 0; index < ready; index++) {
            int fd = events[index].data.fd;
            if (fd != listener) {
                serve_stream(fd, buffer, output, work->isEcho);
            } else if (work->isDatagram) {
                serve_datagrams(fd, output, work->isEcho);
            } else {
                accept_some(listener, epoll);
            }
        }
    }
}

int main(int count, char **arguments) {
    int isDatagram = count > 1 && strcmp(arguments[1], "udp") == 0;
    int port = count > 2 ? atoi(arguments[2]) : 0;
    int threads = count > 3 ? atoi(arguments[3]) : 0;
    if ((!isDatagram && (count < 2 || strcmp(arguments[1], "tcp") != 0)) || port < 1 || threads < 1 || threads > 64) {
        fprintf(stderr, "usage: acknowledger tcp|udp PORT THREADS [echo]\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    static job jobs[64];
    int isEcho = count > 4 && strcmp(arguments[4], "echo") == 0;
    for (int number = 0; number < threads; number++) jobs[number] = (job){isDatagram, isEcho, bound_socket(isDatagram, port)};
    puts("ready");
    fflush(stdout);
    for (int number = 1; number < threads; number++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run, &jobs[number]) != 0) fail("thread");
    }
    run(&jobs[0]);
}
