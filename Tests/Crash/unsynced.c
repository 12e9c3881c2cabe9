/*
 * A preload library that remembers how to throw away every byte that was not yet synced.
 *
 * kill -9 keeps the page cache, so a program that forgets to sync looks safe under it. With this library, each change
 * of a file under $UNSYNCED_DIR first saves what it overwrites in an undo log; a sync that succeeds removes the log of
 * that file. After the kill, rollback.py applies what is left backwards, and the directory is as a disk may be after
 * the power was cut: nothing is there that no sync had returned for.
 *
 * Environment:
 *   UNSYNCED_DIR      absolute, resolved path of the directory that is watched
 *   UNSYNCED_LOG      absolute path of the directory of the undo logs, which must exist, on any file system
 *   UNSYNCED_CONTROL  optional file, read at each sync and write; its first word is a mode:
 *                       ignore  syncs do nothing, say that they worked, and count as not done
 *                       eio     syncs fail with EIO
 *                       enospc  writes that would make a file longer fail with ENOSPC
 *
 * Limits: changes through a shared mapping are not seen (SQLite's -shm files, which it rebuilds, are left alone); a
 * removed or renamed file counts as durable at once; io_uring is not seen. One process at a time uses a directory.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* One log record: this header, then `length` old bytes. All numbers in the machine's order. */
struct record {
    uint32_t magic;
    uint32_t kind;
    uint64_t offset;
    uint64_t length;
    uint64_t old_size;
};
enum { RECORD_MAGIC = 0x59445431, KIND_BYTES = 1, KIND_CREATED = 2 };
enum { MAXIMUM_FILES = 1024 };

/* A file that was changed: its log is a row of segments, so that a sync removes only what was there when it began. */
struct file {
    dev_t device;
    ino_t inode;
    unsigned first_segment;
    unsigned segment;
    int log;
    int used;
};

static struct file files[MAXIMUM_FILES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *watched, *logs, *control;
static size_t watched_length;

static void complain(const char *what) {
    char text[256];
    int length = snprintf(text, sizeof text, "unsynced: %s: %s\n", what, strerror(errno));
    syscall(SYS_write, 2, text, (size_t)length);
    /* A log with a hole would give a wrong disk: better no answer than that. */
    abort();
}

__attribute__((constructor)) static void start(void) {
    watched = getenv("UNSYNCED_DIR");
    logs = getenv("UNSYNCED_LOG");
    control = getenv("UNSYNCED_CONTROL");
    if (!logs) watched = NULL;
    watched_length = watched ? strlen(watched) : 0;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

enum mode { NORMAL, IGNORE_SYNC, SYNC_FAILS, DISK_FULL };

static enum mode current_mode(void) {
    char text[16];
    int saved = errno;
    int descriptor = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0) : -1;
    ssize_t length = 0;
    if (descriptor >= 0) {
        length = syscall(SYS_read, descriptor, text, sizeof text - 1);
        syscall(SYS_close, descriptor);
    }
    errno = saved;
    if (length <= 0) return NORMAL;
    if (!strncmp(text, "ignore", 6)) return IGNORE_SYNC;
    if (!strncmp(text, "eio", 3)) return SYNC_FAILS;
    if (!strncmp(text, "enospc", 6)) return DISK_FULL;
    return NORMAL;
}

/* True for a regular file under the watched directory that is still named; fills `status`. */
static int is_watched(int descriptor, struct stat *status) {
    char link[64], path[4096];
    if (!watched || descriptor < 0 || fstat(descriptor, status) || !S_ISREG(status->st_mode)) return 0;
    if (status->st_nlink == 0) return 0;
    for (int i = 0; i < MAXIMUM_FILES; i++)
        if (files[i].used && files[i].inode == status->st_ino && files[i].device == status->st_dev) return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (strncmp(path, watched, watched_length) || path[watched_length] != '/') return 0;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

static void segment_path(char *path, size_t size, const struct file *file, unsigned segment) {
    snprintf(path, size, "%s/%llu-%llu.%08u", logs, (unsigned long long)file->device, (unsigned long long)file->inode,
             segment);
}

/* What a process before this one left unsynced still is: go on after its last segment. */
static void resume_segments(struct file *file) {
    char prefix[64];
    int length = snprintf(prefix, sizeof prefix, "%llu-%llu.", (unsigned long long)file->device,
                          (unsigned long long)file->inode);
    DIR *directory = opendir(logs);
    if (!directory) complain("opening the directory of logs");
    int found = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, prefix, (size_t)length)) continue;
        unsigned number = (unsigned)strtoul(entry->d_name + length, NULL, 10);
        if (!found || number < file->first_segment) file->first_segment = number;
        if (!found || number >= file->segment) file->segment = number + 1;
        found = 1;
    }
    closedir(directory);
}

/* Called with the lock held. */
static struct file *find(const struct stat *status) {
    struct file *empty = NULL;
    for (int i = 0; i < MAXIMUM_FILES; i++) {
        if (files[i].used && files[i].inode == status->st_ino && files[i].device == status->st_dev) return &files[i];
        if (!files[i].used && !empty) empty = &files[i];
    }
    if (!empty) {
        errno = ENFILE;
        complain("too many files");
    }
    *empty = (struct file){.device = status->st_dev, .inode = status->st_ino, .log = -1, .used = 1};
    resume_segments(empty);
    return empty;
}

static void remove_segments(struct file *file, unsigned end) {
    char path[4200];
    for (; file->first_segment < end; file->first_segment++) {
        segment_path(path, sizeof path, file, file->first_segment);
        syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    }
}

static void forget(struct file *file) {
    if (file->log >= 0) syscall(SYS_close, file->log);
    remove_segments(file, file->segment + 1);
    file->used = 0;
}

/* Called with the lock held: saves the bytes from `offset` on that a change is about to overwrite or cut off. */
static void save(int descriptor, const struct stat *status, uint64_t offset, uint64_t length) {
    struct file *file = find(status);
    uint64_t size = (uint64_t)status->st_size;
    int created = size == 0 && file->log < 0 && file->segment == 0;
    if (offset >= size) length = 0;
    else if (length > size - offset) length = size - offset;

    char *old = length ? malloc(length) : NULL;
    if (length && !old) complain("no memory");
    /* The descriptor may be open for writing only: read through a fresh one. */
    if (length) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        int reader = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
        for (uint64_t done = 0; done < length;) {
            ssize_t count = syscall(SYS_pread64, reader, old + done, length - done, offset + done);
            if (count <= 0) complain("reading old bytes");
            done += (uint64_t)count;
        }
        syscall(SYS_close, reader);
    }
    if (file->log < 0) {
        char path[4200];
        segment_path(path, sizeof path, file, file->segment);
        file->log = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file->log < 0) complain("opening a log");
    }
    struct record record = {RECORD_MAGIC, created ? KIND_CREATED : KIND_BYTES, offset, length, size};
    struct iovec parts[2] = {{&record, sizeof record}, {old, length}};
    ssize_t wanted = (ssize_t)(sizeof record + length);
    if (syscall(SYS_writev, file->log, parts, length ? 2 : 1) != wanted) complain("writing a log");
    free(old);
}

/* Runs `call`, which changes `length` bytes at `offset` (-1: at the descriptor's own place), with its undo saved. */
#define CHANGE(descriptor, offset_value, length_value, call) \
    do { \
        struct stat status; \
        int saved = errno; \
        if (!is_watched(descriptor, &status)) { \
            errno = saved; \
            return call; \
        } \
        pthread_mutex_lock(&lock); \
        fstat(descriptor, &status); \
        off_t place = (offset_value); \
        if (place == -1) \
            place = fcntl(descriptor, F_GETFL) & O_APPEND ? status.st_size : lseek(descriptor, 0, SEEK_CUR); \
        if (current_mode() == DISK_FULL && place + (off_t)(length_value) > status.st_size) { \
            pthread_mutex_unlock(&lock); \
            errno = ENOSPC; \
            return -1; \
        } \
        if (!(fcntl(descriptor, F_GETFL) & O_DSYNC)) save(descriptor, &status, (uint64_t)place, length_value); \
        errno = saved; \
        __typeof__(call) result = call; \
        saved = errno; \
        pthread_mutex_unlock(&lock); \
        errno = saved; \
        return result; \
    } while (0)

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    REAL(write);
    CHANGE(descriptor, (off_t)-1, count, real(descriptor, bytes, count));
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    REAL(writev);
    CHANGE(descriptor, (off_t)-1, total(parts, count), real(descriptor, parts, count));
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    REAL(pwrite);
    CHANGE(descriptor, offset, count, real(descriptor, bytes, count, offset));
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    REAL(pwrite64);
    CHANGE(descriptor, offset, count, real(descriptor, bytes, count, offset));
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
    REAL(pwritev);
    CHANGE(descriptor, offset, total(parts, count), real(descriptor, parts, count, offset));
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
    REAL(pwritev64);
    CHANGE(descriptor, offset, total(parts, count), real(descriptor, parts, count, offset));
}

/* A cut saves all bytes behind the new end; a stretch saves the old size alone. */
int ftruncate(int descriptor, off_t length) {
    REAL(ftruncate);
    CHANGE(descriptor, length, UINT32_MAX, real(descriptor, length));
}

int ftruncate64(int descriptor, off64_t length) {
    REAL(ftruncate64);
    CHANGE(descriptor, length, UINT32_MAX, real(descriptor, length));
}

static int synchronise(int descriptor, int (*real)(int)) {
    struct stat status;
    if (!is_watched(descriptor, &status)) {
        /* Directories too stay unsynced in these modes, but nothing is kept about them. */
        return real(descriptor);
    }
    enum mode mode = current_mode();
    if (mode == IGNORE_SYNC) return 0;
    if (mode == SYNC_FAILS) {
        errno = EIO;
        return -1;
    }
    /* What is written from here on, by another thread, does not belong to this sync. */
    pthread_mutex_lock(&lock);
    struct file *file = find(&status);
    if (file->log >= 0) {
        syscall(SYS_close, file->log);
        file->log = -1;
        file->segment++;
    }
    unsigned end = file->segment;
    pthread_mutex_unlock(&lock);

    int result = real(descriptor);

    int saved = errno;
    if (result == 0) {
        pthread_mutex_lock(&lock);
        if (file->used && file->inode == status.st_ino) remove_segments(file, end);
        pthread_mutex_unlock(&lock);
    }
    errno = saved;
    return result;
}

int fsync(int descriptor) {
    REAL(fsync);
    return synchronise(descriptor, real);
}

int fdatasync(int descriptor) {
    REAL(fdatasync);
    return synchronise(descriptor, real);
}

/* The file at `path` loses a name; with the last one its log goes, since its number may serve a new file. */
static void loses_name(int directory, const char *path) {
    struct stat status;
    int saved = errno;
    if (watched && !fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) && status.st_nlink == 1) {
        pthread_mutex_lock(&lock);
        for (int i = 0; i < MAXIMUM_FILES; i++)
            if (files[i].used && files[i].inode == status.st_ino && files[i].device == status.st_dev) forget(&files[i]);
        pthread_mutex_unlock(&lock);
    }
    errno = saved;
}

int unlink(const char *path) {
    REAL(unlink);
    loses_name(AT_FDCWD, path);
    return real(path);
}

int unlinkat(int directory, const char *path, int flags) {
    REAL(unlinkat);
    if (!(flags & AT_REMOVEDIR)) loses_name(directory, path);
    return real(directory, path, flags);
}

int remove(const char *path) {
    REAL(remove);
    loses_name(AT_FDCWD, path);
    return real(path);
}

int rename(const char *from, const char *to) {
    REAL(rename);
    loses_name(AT_FDCWD, to);
    return real(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    REAL(renameat);
    loses_name(to_directory, to);
    return real(from_directory, from, to_directory, to);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    REAL(renameat2);
    if (!(flags & (RENAME_EXCHANGE | RENAME_NOREPLACE))) loses_name(to_directory, to);
    return real(from_directory, from, to_directory, to, flags);
}

/* Opening with O_TRUNC cuts a file: it is opened without, and cut through ftruncate above. */
static int open_and_cut(int directory, const char *path, int flags, mode_t mode,
                        int (*real)(int, const char *, int, ...)) {
    if (!watched || !(flags & O_TRUNC) || (flags & O_ACCMODE) == O_RDONLY) return real(directory, path, flags, mode);
    int descriptor = real(directory, path, flags & ~O_TRUNC, mode);
    struct stat status;
    if (descriptor >= 0 && !fstat(descriptor, &status) && S_ISREG(status.st_mode) && status.st_size > 0
        && ftruncate(descriptor, 0)) {
        int saved = errno;
        close(descriptor);
        errno = saved;
        return -1;
    }
    return descriptor;
}

#define OPEN_MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list arguments; \
        va_start(arguments, flags); \
        mode = va_arg(arguments, mode_t); \
        va_end(arguments); \
    }

static int (*real_openat(void))(int, const char *, int, ...) {
    REAL(openat);
    return real;
}

int open(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_and_cut(AT_FDCWD, path, flags, mode, real_openat());
}

int open64(const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_and_cut(AT_FDCWD, path, flags | O_LARGEFILE, mode, real_openat());
}

int openat(int directory, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_and_cut(directory, path, flags, mode, real_openat());
}

int openat64(int directory, const char *path, int flags, ...) {
    OPEN_MODE(flags)
    return open_and_cut(directory, path, flags | O_LARGEFILE, mode, real_openat());
}
