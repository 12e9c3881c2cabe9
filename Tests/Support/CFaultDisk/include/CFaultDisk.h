/*
 * A SQLite VFS that stands in front of the system's own and decides what a disk keeps: real files, real locks, real
 * write-ahead logs, and writes that fail or are lost at the times which a seed chose.
 *
 * One process, one directory at a time.
 */
#ifndef C_FAULT_DISK_H
#define C_FAULT_DISK_H

#include <stdint.h>

enum fault_disk_mode {
    FAULT_DISK_SOUND = 0,
    /* Each sync fails, and what it should have synced is lost at a power cut whatever later syncs say. */
    FAULT_DISK_SYNC_FAILS = 1,
    FAULT_DISK_WRITE_FAILS = 2,
    FAULT_DISK_FULL = 3,
};

/* Makes the VFS the default for every connection opened from now on. 0, or SQLite's code. */
int fault_disk_install(void);
/* A sound disk without a past; everything random follows from the seed. */
void fault_disk_begin(uint64_t seed);
void fault_disk_set_mode(enum fault_disk_mode mode);
/* The machine stops at the so many-th change of a file from now on: it and everything after it fails. -1: never. */
void fault_disk_stop_after(int64_t changes);
/* Stops the machine now. */
void fault_disk_stop(void);
int fault_disk_is_stopped(void);
/* After a stop: brings the files to what a power cut leaves of them. Each change that no sync covers is there or not. */
int fault_disk_cut_power(void);
/* After a stop: a killed process loses nothing that it has written. */
void fault_disk_keep_all(void);
/* Changes of files and syncs that failed on purpose since the begin. */
uint64_t fault_disk_failures(void);

#endif
