#define _GNU_SOURCE
#include "CReactor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(REACTOR_READABLE == EPOLLIN && REACTOR_WRITABLE == EPOLLOUT, "epoll's own values");
_Static_assert(REACTOR_ERROR == EPOLLERR && REACTOR_HANG_UP == EPOLLHUP, "epoll's own values");
_Static_assert(REACTOR_EXCLUSIVE == EPOLLEXCLUSIVE, "epoll's own value");

int reactor_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int reactor_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = tag;
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int reactor_epoll_add(int epoll, int fd, uint32_t events, uint64_t tag) {
    return reactor_epoll_control(epoll, EPOLL_CTL_ADD, fd, events, tag);
}

int reactor_epoll_modify(int epoll, int fd, uint32_t events, uint64_t tag) {
    return reactor_epoll_control(epoll, EPOLL_CTL_MOD, fd, events, tag);
}

int reactor_wait(int epoll, reactor_event *events, int maximum, int timeout) {
    struct epoll_event ready[REACTOR_EVENTS_PER_WAIT];
    if (maximum > REACTOR_EVENTS_PER_WAIT) maximum = REACTOR_EVENTS_PER_WAIT;
    int count = epoll_wait(epoll, ready, maximum, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        events[index].tag = ready[index].data.u64;
        events[index].events = ready[index].events;
    }
    return count;
}

int reactor_eventfd_create(void) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int reactor_eventfd_signal(int fd) {
    uint64_t one = 1;
    for (;;) {
        if (write(fd, &one, sizeof one) >= 0 || errno == EAGAIN) return 0;
        if (errno != EINTR) return -errno;
    }
}

int reactor_eventfd_clear(int fd) {
    uint64_t value;
    for (;;) {
        if (read(fd, &value, sizeof value) >= 0 || errno == EAGAIN) return 0;
        if (errno != EINTR) return -errno;
    }
}

int reactor_poll(int fd, int timeout) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    int count = poll(&waiting, 1, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    return count;
}

int64_t reactor_microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t reactor_milliseconds(void) {
    return reactor_microseconds() / 1000;
}

void reactor_sleep(int64_t microseconds) {
    struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    nanosleep(&time, NULL);
}

long reactor_read(int fd, void *bytes, size_t count) {
    for (;;) {
        ssize_t got = read(fd, bytes, count);
        if (got >= 0) return got;
        if (errno != EINTR) return -(long)errno;
    }
}

long reactor_write(int fd, const void *bytes, size_t count) {
    for (;;) {
        ssize_t put = write(fd, bytes, count);
        if (put >= 0) return put;
        if (errno != EINTR) return -(long)errno;
    }
}

int reactor_close(int fd) {
    return close(fd) < 0 ? -errno : 0;
}

int reactor_duplicate(int fd) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

int reactor_open_reserve(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int reactor_epoll_remove(int epoll, int fd) {
    return reactor_epoll_control(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

int reactor_name_thread(const char *name) {
    char cut[16];
    strncpy(cut, name, sizeof cut - 1);
    cut[sizeof cut - 1] = 0;
    return -pthread_setname_np(pthread_self(), cut);
}

int reactor_error_text(int code, char *text, size_t room) {
    char scratch[128];
    const char *found = strerror_r(code, scratch, sizeof scratch);
    if (room == 0) return -EINVAL;
    strncpy(text, found, room - 1);
    text[room - 1] = 0;
    return 0;
}
