// libgps, as Debian's libgps-dev installs it: of its 24 KB of everything, what a fix needs.
#pragma once
#include <errno.h>
#include <gps.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// One report of one receiver. `has_` tells which members were sent.
typedef struct {
    int has_fix;
    int has_time;
    int has_accuracy;
    int has_altitude;
    double latitude;
    double longitude;
    /// Metres, 95 %.
    double accuracy;
    double altitude;
    /// Unix time in milliseconds.
    int64_t milliseconds;
    char receiver[GPS_PATH_MAX];
} ydt_gps_report;

/// Connects and asks for reports; NULL with libgps's or the system's error in `error`, for `ydt_gps_error_text`.
static inline struct gps_data_t *ydt_gps_open(const char *host, const char *port, int *error) {
    struct gps_data_t *gps = calloc(1, sizeof *gps);
    if (!gps) {
        *error = ENOMEM;
        return NULL;
    }
    errno = 0;
    if (gps_open(host, port, gps) != 0) {
        *error = errno;
        free(gps);
        return NULL;
    }
    if (gps_stream(gps, WATCH_ENABLE | WATCH_JSON, NULL) < 0) {
        *error = errno;
        gps_close(gps);
        free(gps);
        return NULL;
    }
    return gps;
}

static inline const char *ydt_gps_error_text(int error) {
    return gps_errstr(error);
}

static inline void ydt_gps_close(struct gps_data_t *gps) {
    gps_close(gps);
    free(gps);
}

/// Waits up to `milliseconds` for a report. 1: `report` is a fix or the lack of one; 0: nothing of use came; -1: gpsd is gone.
static inline int ydt_gps_read(struct gps_data_t *gps, int milliseconds, ydt_gps_report *report) {
    if (!gps_waiting(gps, milliseconds * 1000)) return 0;
    gps->set = 0;
    int got = gps_read(gps, NULL, 0);
    if (got < 0) return -1;
    // Only a TPV states a mode; the first ones after a start state no more than that.
    if (got == 0 || !(gps->set & MODE_SET) || gps->fix.mode == MODE_NOT_SEEN) return 0;
    memset(report, 0, sizeof *report);
    strncpy(report->receiver, gps->dev.path, sizeof report->receiver - 1);
    report->latitude = gps->fix.latitude;
    report->longitude = gps->fix.longitude;
    report->has_fix = gps->fix.mode >= MODE_2D && (gps->set & LATLON_SET) && isfinite(report->latitude) &&
                      isfinite(report->longitude);
    report->accuracy = gps->fix.eph;
    report->has_accuracy = isfinite(report->accuracy);
    report->altitude = gps->fix.altMSL;
    report->has_altitude = gps->fix.mode >= MODE_3D && (gps->set & ALTITUDE_SET) && isfinite(report->altitude);
    report->milliseconds = (int64_t)gps->fix.time.tv_sec * 1000 + gps->fix.time.tv_nsec / 1000000;
    report->has_time = (gps->set & TIME_SET) && report->milliseconds > 0;
    return 1;
}
