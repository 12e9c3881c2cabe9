/*
 * A preload library for a disk that syncs slowly: each fsync or fdatasync of a regular file takes a fixed time more, and
 * one waits for the other in the order of their coming, as at a disk with one head.
 *
 * Environment:
 *   SLOW_SYNC_CONTROL  a file that holds the microseconds that one sync takes; empty, 0 or absent: nothing is slowed.
 *                      It is read at each sync, so that a disk can become slow and fast again.
 *   SLOW_SYNC_COUNT    optional file that gets one byte for each slowed sync, so that its size counts them
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static unsigned long next_ticket, serving;

static long microseconds(void) {
    char text[16] = {0};
    const char *path = getenv("SLOW_SYNC_CONTROL");
    int descriptor = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
    if (descriptor < 0) return 0;
    ssize_t length = syscall(SYS_read, descriptor, text, sizeof text - 1);
    syscall(SYS_close, descriptor);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

static void count(void) {
    const char *path = getenv("SLOW_SYNC_COUNT");
    if (!path) return;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (descriptor < 0) return;
    syscall(SYS_write, descriptor, ".", 1);
    syscall(SYS_close, descriptor);
}

static int synchronise(int descriptor, int (*real)(int)) {
    struct stat status;
    int saved = errno;
    long slow = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? microseconds() : 0;
    errno = saved;
    if (slow <= 0) return real(descriptor);

    pthread_mutex_lock(&lock);
    unsigned long ticket = next_ticket++;
    while (serving != ticket) pthread_cond_wait(&turned, &lock);
    pthread_mutex_unlock(&lock);

    int result = real(descriptor);
    saved = errno;
    struct timespec pause = {slow / 1000000, slow % 1000000 * 1000};
    nanosleep(&pause, NULL);
    count();

    pthread_mutex_lock(&lock);
    serving++;
    pthread_cond_broadcast(&turned);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

#define REAL(name) \
    static int (*real)(int); \
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name)

int fsync(int descriptor) {
    REAL(fsync);
    return synchronise(descriptor, real);
}

int fdatasync(int descriptor) {
    REAL(fdatasync);
    return synchronise(descriptor, real);
}
