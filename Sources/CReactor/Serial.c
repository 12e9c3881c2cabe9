#define _GNU_SOURCE
#include "CReactor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// B0 for a rate that the kernel has no constant for.
static speed_t reactor_speed(int baud) {
    switch (baud) {
    case 1200: return B1200;
    case 2400: return B2400;
    case 4800: return B4800;
    case 9600: return B9600;
    case 19200: return B19200;
    case 38400: return B38400;
    case 57600: return B57600;
    case 115200: return B115200;
    case 230400: return B230400;
    case 460800: return B460800;
    case 500000: return B500000;
    case 576000: return B576000;
    case 921600: return B921600;
    default: return B0;
    }
}

int reactor_serial_open(const char *path) {
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    // Before anything is set: a line that somebody else works on is left as it is. The lock holds off those who ask for it
    // (root too, which TIOCEXCL lets through), TIOCEXCL everybody else.
    int result = flock(fd, LOCK_EX | LOCK_NB) < 0 ? (errno == EWOULDBLOCK ? -EBUSY : -errno) : 0;
    // What is no tty at all is found out when it is set up.
    if (result == 0 && ioctl(fd, TIOCEXCL) < 0 && errno != ENOTTY) result = -errno;
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

int reactor_serial_configure(int fd, int baud, int data_bits, int parity, int stop_bits, int flow) {
    struct termios line;
    speed_t speed = reactor_speed(baud);
    if (speed == B0) return -EINVAL;
    if (tcgetattr(fd, &line) < 0) return -errno;
    cfmakeraw(&line);
    line.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
    line.c_cflag |= CLOCAL | CREAD | (data_bits == 7 ? CS7 : CS8);
    if (parity != 0) line.c_cflag |= PARENB | (parity == 1 ? PARODD : 0);
    // A character with a parity error or a break is dropped, the frame's own check then finds the gap.
    line.c_iflag &= ~(tcflag_t)(INPCK | IGNPAR | BRKINT | IXON | IXOFF | IXANY);
    line.c_iflag |= IGNBRK | (parity != 0 ? INPCK | IGNPAR : 0);
    if (stop_bits == 2) line.c_cflag |= CSTOPB;
    if (flow) line.c_cflag |= CRTSCTS;
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    if (cfsetispeed(&line, speed) < 0 || cfsetospeed(&line, speed) < 0) return -errno;
    if (tcsetattr(fd, TCSANOW, &line) < 0) return -errno;
    return 0;
}

int reactor_serial_low_latency(int fd) {
    struct serial_struct settings;
    if (ioctl(fd, TIOCGSERIAL, &settings) < 0) return -errno;
    settings.flags |= ASYNC_LOW_LATENCY;
    return ioctl(fd, TIOCSSERIAL, &settings) < 0 ? -errno : 0;
}

int reactor_serial_half_duplex(int fd) {
    struct serial_rs485 settings = {.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND};
    return ioctl(fd, TIOCSRS485, &settings) < 0 ? -errno : 0;
}

int reactor_open_pseudo_terminal(char *path, size_t room) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = grantpt(fd) < 0 || unlockpt(fd) < 0 ? -errno : -ptsname_r(fd, path, room);
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}
