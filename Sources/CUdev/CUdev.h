// libudev, as Debian's libudev-dev installs it.
#pragma once
#include <errno.h>
#include <libudev.h>

/// The next event of a monitor without waiting: NULL with the errno in `error`, EAGAIN when there is none and ENOBUFS when
/// the kernel has dropped some.
static inline struct udev_device *ydt_udev_receive(struct udev_monitor *monitor, int *error) {
    errno = 0;
    struct udev_device *device = udev_monitor_receive_device(monitor);
    *error = device ? 0 : errno ? errno : EAGAIN;
    return device;
}
