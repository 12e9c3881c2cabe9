#include "CFaultDisk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One change of a file: what it replaced and what it put there. */
struct change {
    int64_t offset;
    int64_t old_size;
    int64_t new_size;
    unsigned char *old_bytes; /* what lay at offset up to the end of the change, as far as the file went */
    int64_t old_length;
    unsigned char *new_bytes; /* NULL: the file was cut to new_size */
    int64_t new_length;
    int is_synced;
    int is_lost; /* a sync of it failed: the kernel may have forgotten it */
};

struct disk_file {
    char path[512];
    struct change *changes;
    size_t count;
    size_t room;
    struct disk_file *next;
};

struct open_file {
    sqlite3_file base;
    struct disk_file *disk;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk_file *files;
static enum fault_disk_mode mode;
static int64_t changes_left = -1;
static int is_stopped;
static uint64_t failures;
static uint64_t random_state;

static uint64_t next_random(void) {
    uint64_t z = (random_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void forget_changes(struct disk_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        free(file->changes[i].old_bytes);
        free(file->changes[i].new_bytes);
    }
    file->count = 0;
}

static struct disk_file *find(const char *path) {
    for (struct disk_file *file = files; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    struct disk_file *file = calloc(1, sizeof *file);
    strncpy(file->path, path, sizeof file->path - 1);
    file->next = files;
    files = file;
    return file;
}

/* Counts one change; SQLITE_OK when it may be made. With the lock. */
static int admit(int is_sync) {
    if (!is_stopped && changes_left >= 0 && changes_left-- == 0) is_stopped = 1;
    if (is_stopped) return SQLITE_IOERR;
    int code = SQLITE_OK;
    if (mode == FAULT_DISK_SYNC_FAILS && is_sync) code = SQLITE_IOERR_FSYNC;
    if (mode == FAULT_DISK_WRITE_FAILS && !is_sync) code = SQLITE_IOERR_WRITE;
    if (mode == FAULT_DISK_FULL && !is_sync) code = SQLITE_FULL;
    if (code != SQLITE_OK) failures++;
    return code;
}

/* Remembers a change before it is made. With the lock. */
static void remember(struct open_file *file, const void *bytes, int64_t length, int64_t offset) {
    struct disk_file *disk = file->disk;
    if (!disk) return;
    if (disk->count == disk->room) {
        disk->room = disk->room ? 2 * disk->room : 64;
        disk->changes = realloc(disk->changes, disk->room * sizeof *disk->changes);
    }
    struct change *change = &disk->changes[disk->count++];
    memset(change, 0, sizeof *change);
    sqlite3_int64 size = 0;
    file->real->pMethods->xFileSize(file->real, &size);
    change->offset = offset;
    change->old_size = size;
    change->new_size = bytes ? (offset + length > size ? offset + length : size) : offset;
    int64_t end = bytes ? offset + length : size;
    if (end > size) end = size;
    if (end > offset) {
        change->old_length = end - offset;
        change->old_bytes = malloc((size_t)change->old_length);
        file->real->pMethods->xRead(file->real, change->old_bytes, (int)change->old_length, offset);
    }
    if (bytes) {
        change->new_length = length;
        change->new_bytes = malloc((size_t)length);
        memcpy(change->new_bytes, bytes, (size_t)length);
    }
}

static struct open_file *of(sqlite3_file *file) { return (struct open_file *)file; }

static int file_close(sqlite3_file *file) { return of(file)->real->pMethods->xClose(of(file)->real); }

static int file_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
    return of(file)->real->pMethods->xRead(of(file)->real, bytes, length, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    pthread_mutex_lock(&lock);
    int code = admit(0);
    if (code == SQLITE_OK) {
        remember(of(file), bytes, length, offset);
        code = of(file)->real->pMethods->xWrite(of(file)->real, bytes, length, offset);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    pthread_mutex_lock(&lock);
    int code = admit(0);
    if (code == SQLITE_OK) {
        remember(of(file), NULL, 0, size);
        code = of(file)->real->pMethods->xTruncate(of(file)->real, size);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags; /* the files need not outlive this machine: what a sync promises is kept in `changes` */
    pthread_mutex_lock(&lock);
    int code = admit(1);
    struct disk_file *disk = of(file)->disk;
    if (disk && !is_stopped) {
        int has_lost = 0;
        for (size_t i = 0; i < disk->count; i++) {
            struct change *change = &disk->changes[i];
            if (code == SQLITE_OK && !change->is_lost) change->is_synced = 1;
            if (code != SQLITE_OK && !change->is_synced) change->is_lost = 1;
            has_lost |= change->is_lost;
        }
        if (code == SQLITE_OK && !has_lost) forget_changes(disk);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}
static int file_lock(sqlite3_file *file, int level) { return of(file)->real->pMethods->xLock(of(file)->real, level); }
static int file_unlock(sqlite3_file *file, int level) {
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}
static int file_check_lock(sqlite3_file *file, int *result) {
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, result);
}
static int file_control(sqlite3_file *file, int operation, void *argument) {
    return of(file)->real->pMethods->xFileControl(of(file)->real, operation, argument);
}
static int file_sector(sqlite3_file *file) { return of(file)->real->pMethods->xSectorSize(of(file)->real); }
static int file_traits(sqlite3_file *file) {
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}
static int file_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory) {
    return of(file)->real->pMethods->xShmMap(of(file)->real, page, size, extend, memory);
}
static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return of(file)->real->pMethods->xShmLock(of(file)->real, offset, count, flags);
}
static void file_barrier(sqlite3_file *file) { of(file)->real->pMethods->xShmBarrier(of(file)->real); }
static int file_unmap(sqlite3_file *file, int remove) {
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, remove);
}

static const sqlite3_io_methods methods = {
    2,          file_close, file_read,       file_write,   file_truncate, file_sync,   file_size,     file_lock,
    file_unlock, file_check_lock, file_control, file_sector, file_traits,  file_map,    file_shm_lock, file_barrier,
    file_unmap, NULL,       NULL,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    struct open_file *opened = of(file);
    memset(opened, 0, sizeof *opened);
    opened->real = (sqlite3_file *)(opened + 1);
    int code = real_vfs->xOpen(real_vfs, name, opened->real, flags, out_flags);
    if (opened->real->pMethods) opened->base.pMethods = &methods;
    if (code == SQLITE_OK && name && !(flags & SQLITE_OPEN_DELETEONCLOSE)) {
        pthread_mutex_lock(&lock);
        opened->disk = find(name);
        pthread_mutex_unlock(&lock);
    }
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_directory) {
    (void)vfs;
    pthread_mutex_lock(&lock);
    int code = admit(0);
    if (code == SQLITE_OK) {
        forget_changes(find(name)); /* a removed file is gone at once */
        code = real_vfs->xDelete(real_vfs, name, sync_directory);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs;
    return real_vfs->xAccess(real_vfs, name, flags, result);
}
static int vfs_path(sqlite3_vfs *vfs, const char *name, int length, char *out) {
    (void)vfs;
    return real_vfs->xFullPathname(real_vfs, name, length, out);
}
static int vfs_randomness(sqlite3_vfs *vfs, int length, char *out) {
    (void)vfs;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < length; i++) out[i] = (char)next_random();
    pthread_mutex_unlock(&lock);
    return length;
}
static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    (void)vfs;
    return real_vfs->xSleep(real_vfs, microseconds);
}
static int vfs_time(sqlite3_vfs *vfs, double *out) {
    (void)vfs;
    return real_vfs->xCurrentTime(real_vfs, out);
}
static int vfs_time_integer(sqlite3_vfs *vfs, sqlite3_int64 *out) {
    (void)vfs;
    return real_vfs->xCurrentTimeInt64(real_vfs, out);
}
static int vfs_error(sqlite3_vfs *vfs, int length, char *out) {
    (void)vfs;
    return real_vfs->xGetLastError(real_vfs, length, out);
}

int fault_disk_install(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    fault_vfs.iVersion = 2;
    fault_vfs.szOsFile = (int)sizeof(struct open_file) + real_vfs->szOsFile;
    fault_vfs.mxPathname = real_vfs->mxPathname;
    fault_vfs.zName = "fault-disk";
    fault_vfs.xOpen = vfs_open;
    fault_vfs.xDelete = vfs_delete;
    fault_vfs.xAccess = vfs_access;
    fault_vfs.xFullPathname = vfs_path;
    fault_vfs.xRandomness = vfs_randomness;
    fault_vfs.xSleep = vfs_sleep;
    fault_vfs.xCurrentTime = vfs_time;
    fault_vfs.xCurrentTimeInt64 = vfs_time_integer;
    fault_vfs.xGetLastError = vfs_error;
    return sqlite3_vfs_register(&fault_vfs, 1);
}

void fault_disk_begin(uint64_t seed) {
    pthread_mutex_lock(&lock);
    random_state = seed;
    mode = FAULT_DISK_SOUND;
    changes_left = -1;
    is_stopped = 0;
    failures = 0;
    for (struct disk_file *file = files; file; file = file->next) {
        forget_changes(file);
        file->path[0] = 0; /* still named by connections that are not closed yet */
    }
    pthread_mutex_unlock(&lock);
    sqlite3_randomness(0, NULL); /* drawn anew from the seed */
}

void fault_disk_set_mode(enum fault_disk_mode wanted) {
    pthread_mutex_lock(&lock);
    mode = wanted;
    pthread_mutex_unlock(&lock);
}

void fault_disk_stop_after(int64_t changes) {
    pthread_mutex_lock(&lock);
    changes_left = changes;
    pthread_mutex_unlock(&lock);
}

void fault_disk_stop(void) {
    pthread_mutex_lock(&lock);
    is_stopped = 1;
    pthread_mutex_unlock(&lock);
}

int fault_disk_is_stopped(void) {
    pthread_mutex_lock(&lock);
    int answer = is_stopped;
    pthread_mutex_unlock(&lock);
    return answer;
}

static int put(int file, const unsigned char *bytes, int64_t length, int64_t offset) {
    return length == 0 || pwrite(file, bytes, (size_t)length, offset) == length ? 0 : -1;
}

/* Takes all remembered changes back, then makes again those that the disk has kept. */
static int settle(struct disk_file *disk) {
    int file = open(disk->path, O_RDWR);
    if (file < 0) return -1;
    int failed = 0;
    for (size_t i = disk->count; i-- > 0;) {
        struct change *change = &disk->changes[i];
        failed |= put(file, change->old_bytes, change->old_length, change->offset);
        failed |= ftruncate(file, change->old_size);
    }
    for (size_t i = 0; i < disk->count; i++) {
        struct change *change = &disk->changes[i];
        if (!change->is_synced && (change->is_lost || next_random() % 2 == 0)) continue;
        if (!change->new_bytes) {
            failed |= ftruncate(file, change->new_size);
            continue;
        }
        /* What is not synced may be torn at a sector. */
        int64_t length = change->new_length;
        if (!change->is_synced && length > 512 && next_random() % 4 == 0)
            length = 512 * (int64_t)(1 + next_random() % (uint64_t)(length / 512));
        failed |= put(file, change->new_bytes, length, change->offset);
    }
    failed |= close(file);
    return failed;
}

int fault_disk_cut_power(void) {
    pthread_mutex_lock(&lock);
    int failed = 0;
    for (struct disk_file *file = files; file; file = file->next)
        if (file->path[0] && file->count > 0) {
            failed |= settle(file);
            forget_changes(file);
        }
    pthread_mutex_unlock(&lock);
    return failed;
}

void fault_disk_keep_all(void) {
    pthread_mutex_lock(&lock);
    for (struct disk_file *file = files; file; file = file->next) forget_changes(file);
    pthread_mutex_unlock(&lock);
}

uint64_t fault_disk_failures(void) {
    pthread_mutex_lock(&lock);
    uint64_t answer = failures;
    pthread_mutex_unlock(&lock);
    return answer;
}
