// The Linux calls of the reactor: epoll, eventfd, sockets with plain addresses, serial set-up.
//
// Every function returns a non-negative result or the negated errno, so that the caller never reads a thread-local
// variable that something in between may have changed. None of them blocks, except reactor_wait and reactor_poll.
// No system header with types is included here: with _GNU_SOURCE they would not match those of Swift's Glibc module.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define REACTOR_READABLE 0x001
#define REACTOR_WRITABLE 0x004
#define REACTOR_ERROR 0x008
#define REACTOR_HANG_UP 0x010
/// Of the threads that wait for one shared listening socket, few are woken and not all. Such an entry cannot be modified.
#define REACTOR_EXCLUSIVE 0x10000000

/// The events that one wait can report. What is left stays ready and is reported by the next one.
#define REACTOR_EVENTS_PER_WAIT 256

/// One readiness report: `struct epoll_event` without its packing.
typedef struct {
    uint64_t tag;
    uint32_t events;
} reactor_event;

/// An IPv4 or IPv6 address with port; `family` is 4, 6 or 0 for none. `high` and `low` hold the address in host order,
/// an IPv4 address lies in the lower half of `low`.
typedef struct {
    uint64_t high;
    uint64_t low;
    uint32_t scope;
    uint16_t port;
    uint8_t family;
} reactor_address;

/// The datagrams that one call can receive or send.
#define REACTOR_DATAGRAMS_PER_CALL 64

/// One datagram among several; `truncated` when it was longer than the room for it.
typedef struct {
    reactor_address peer;
    uint32_t count;
    uint32_t truncated;
} reactor_datagram;

// Readiness, time and plain descriptors

int reactor_epoll_create(void);

int reactor_epoll_add(int epoll, int fd, uint32_t events, uint64_t tag);

int reactor_epoll_modify(int epoll, int fd, uint32_t events, uint64_t tag);

int reactor_epoll_remove(int epoll, int fd);

/// Waits for at most `maximum` events (and REACTOR_EVENTS_PER_WAIT); `timeout` in milliseconds, -1 for ever. An interrupted wait
/// reports nothing.
int reactor_wait(int epoll, reactor_event *events, int maximum, int timeout);

int reactor_eventfd_create(void);

int reactor_eventfd_signal(int fd);

int reactor_eventfd_clear(int fd);

/// Waits until `fd` is readable: 1, or 0 when `timeout` milliseconds have passed or a signal came.
int reactor_poll(int fd, int timeout);

/// Milliseconds since the machine was started, time spent suspended included.
int64_t reactor_milliseconds(void);

/// The same in microseconds.
int64_t reactor_microseconds(void);

/// Sleeps; a signal ends it early.
void reactor_sleep(int64_t microseconds);

long reactor_read(int fd, void *bytes, size_t count);

long reactor_write(int fd, const void *bytes, size_t count);

int reactor_close(int fd);

/// A second descriptor of the same open file, closed on exec.
int reactor_duplicate(int fd);

/// The sentence for an errno value, cut to `room` bytes with the final 0.
int reactor_error_text(int code, char *text, size_t room);

/// Names the calling thread; cut to 15 bytes.
int reactor_name_thread(const char *name);

/// Opens the descriptor that is given up for a moment when the process has no other left.
int reactor_open_reserve(void);

// Sockets

int reactor_peer_name(int fd, reactor_address *address);

/// AF_INET or AF_INET6 of the socket itself.
int reactor_socket_family(int fd);

/// Opens and binds a socket that does not block; `type` is SOCK_STREAM or SOCK_DGRAM, an IPv6 one serves IPv4 too unless `only`.
int reactor_bind(reactor_address address, int type, int reuse_port, int only, reactor_address *bound);

int reactor_listen(int fd, int backlog);

/// Sends small writes at once and notices dead peers. Set on a listening socket, since Linux hands these on to accepted ones.
int reactor_set_stream_options(int fd, int idle, int interval, int count, int user_timeout);

/// Prepares a descriptor that another process opened: 0 when it is an IP socket of `type` (and listening, for SOCK_STREAM).
int reactor_adopt(int fd, int type, reactor_address *bound);

int reactor_accept(int fd, reactor_address *peer);

/// Closes so that the peer learns of the refusal at once (a reset) and no waiting state stays behind.
void reactor_close_reset(int fd);

/// Starts a connection; it is made, or has failed, once the socket is writable. `from` with family 0 leaves the choice to the kernel.
int reactor_connect(reactor_address to, reactor_address from);

/// The negated error that waits on a socket, 0 when there is none.
int reactor_socket_error(int fd);

/// Sends without raising SIGPIPE.
long reactor_send(int fd, const void *bytes, size_t count);

/// Asks for a larger receive buffer, beyond the system's usual limit where the process may.
int reactor_set_receive_buffer(int fd, int bytes);

/// Receives up to `maximum` datagrams, each into its own `stride` bytes. Returns how many.
int reactor_receive_many(int fd, uint8_t *bytes, size_t stride, reactor_datagram *datagrams, int maximum);

/// Sends datagrams that lie one behind the other. Returns how many were taken; an error belongs to the first one.
int reactor_send_many(int fd, const uint8_t *bytes, const reactor_datagram *datagrams, int count, int mapped);

/// Reads a numeric address without port: 0, or -EINVAL.
int reactor_parse_address(const char *text, reactor_address *address);

/// Writes the numeric address without port; `room` is at least INET6_ADDRSTRLEN (46) bytes.
int reactor_format_address(reactor_address address, char *text, size_t room);

// Serial lines

/// Opens a terminal device alone (-EBUSY when another holds it), without becoming its session's terminal and without
/// waiting for a carrier.
int reactor_serial_open(const char *path);

/// Makes the line raw. `data_bits` 7 or 8, `parity` 0 none, 1 odd, 2 even, `stop_bits` 1 or 2.
int reactor_serial_configure(int fd, int baud, int data_bits, int parity, int stop_bits, int flow);

/// Asks the driver to hand over bytes at once; an error where it cannot.
int reactor_serial_low_latency(int fd);

/// Asks the driver for RS-485 with RTS as the sender's switch; an error where it cannot.
int reactor_serial_half_duplex(int fd);

/// Opens the controlling end of a new pseudo-terminal and writes the path of its other end, for simulators and tests.
int reactor_open_pseudo_terminal(char *path, size_t room);
