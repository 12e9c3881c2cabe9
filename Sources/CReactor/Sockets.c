#define _GNU_SOURCE
#include "CReactor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint64_t reactor_load64(const uint8_t *bytes) {
    uint64_t value = 0;
    for (int index = 0; index < 8; index++) value = value << 8 | bytes[index];
    return value;
}

static void reactor_store64(uint8_t *bytes, uint64_t value) {
    for (int index = 7; index >= 0; index--, value >>= 8) bytes[index] = (uint8_t)value;
}

// An IPv4 address that came through an IPv6 socket (::ffff:a.b.c.d) reads as the IPv4 address it is.
static reactor_address reactor_address_from(const struct sockaddr_storage *storage) {
    reactor_address address;
    memset(&address, 0, sizeof address);
    if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)storage;
        address.family = 4;
        address.low = ntohl(four->sin_addr.s_addr);
        address.port = ntohs(four->sin_port);
    } else if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)storage;
        address.port = ntohs(six->sin6_port);
        address.low = reactor_load64(six->sin6_addr.s6_addr + 8);
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
            address.family = 4;
            address.low &= 0xFFFFFFFFu;
        } else {
            address.family = 6;
            address.high = reactor_load64(six->sin6_addr.s6_addr);
            address.scope = six->sin6_scope_id;
        }
    }
    return address;
}

// `mapped` writes an IPv4 address in its IPv6 form, as a socket that serves both families wants it.
static socklen_t reactor_address_to(reactor_address address, int mapped, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    if (address.family == 4 && !mapped) {
        struct sockaddr_in *four = (struct sockaddr_in *)storage;
        four->sin_family = AF_INET;
        four->sin_addr.s_addr = htonl((uint32_t)address.low);
        four->sin_port = htons(address.port);
        return sizeof *four;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(address.port);
    six->sin6_scope_id = address.scope;
    uint64_t low = address.family == 4 ? 0x0000FFFF00000000u | (uint32_t)address.low : address.low;
    reactor_store64(six->sin6_addr.s6_addr, address.high);
    reactor_store64(six->sin6_addr.s6_addr + 8, low);
    return sizeof *six;
}

static int reactor_set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static int reactor_socket_name(int fd, reactor_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    *address = reactor_address_from(&storage);
    return 0;
}

int reactor_peer_name(int fd, reactor_address *address) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getpeername(fd, (struct sockaddr *)&storage, &length) < 0) return -errno;
    *address = reactor_address_from(&storage);
    return 0;
}

int reactor_socket_family(int fd) {
    int family = 0;
    socklen_t length = sizeof family;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0 ? -errno : family;
}

int reactor_bind(reactor_address address, int type, int reuse_port, int only, reactor_address *bound) {
    int fd = socket(address.family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct sockaddr_storage storage;
    socklen_t length = reactor_address_to(address, 0, &storage);
    int result = type == SOCK_STREAM ? reactor_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) : 0;
    if (result == 0 && reuse_port) result = reactor_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (result == 0 && address.family == 6) result = reactor_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, only);
    if (result == 0 && bind(fd, (struct sockaddr *)&storage, length) < 0) result = -errno;
    if (result == 0) result = reactor_socket_name(fd, bound);
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

int reactor_listen(int fd, int backlog) {
    return listen(fd, backlog) < 0 ? -errno : 0;
}

int reactor_set_stream_options(int fd, int idle, int interval, int count, int user_timeout) {
    int result = reactor_set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (result == 0) result = reactor_set_option(fd, SOL_SOCKET, SO_KEEPALIVE, idle > 0);
    if (result == 0 && idle > 0) result = reactor_set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
    if (result == 0 && idle > 0) result = reactor_set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
    if (result == 0 && idle > 0) result = reactor_set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, count);
    if (result == 0) result = reactor_set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout);
    return result;
}

int reactor_adopt(int fd, int type, reactor_address *bound) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) < 0) return -errno;
    if (value != type) return -EPROTOTYPE;
    int family = reactor_socket_family(fd);
    if (family != AF_INET && family != AF_INET6) return -EAFNOSUPPORT;
    if (type == SOCK_STREAM) {
        length = sizeof value;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) < 0) return -errno;
        if (!value) return -EINVAL;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
    return reactor_socket_name(fd, bound);
}

int reactor_accept(int fd, reactor_address *peer) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    int accepted = accept4(fd, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return -errno;
    *peer = reactor_address_from(&storage);
    return accepted;
}

void reactor_close_reset(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

int reactor_connect(reactor_address to, reactor_address from) {
    int fd = socket(to.family == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct sockaddr_storage storage;
    int result = 0;
    if (from.family != 0) {
        socklen_t length = reactor_address_to(from, from.family == 4 && to.family == 6, &storage);
        result = reactor_set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (result == 0 && bind(fd, (struct sockaddr *)&storage, length) < 0) result = -errno;
    }
    socklen_t length = reactor_address_to(to, 0, &storage);
    if (result == 0 && connect(fd, (struct sockaddr *)&storage, length) < 0 && errno != EINPROGRESS) result = -errno;
    if (result < 0) {
        close(fd);
        return result;
    }
    return fd;
}

int reactor_socket_error(int fd) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length) < 0) return -errno;
    return -value;
}

long reactor_send(int fd, const void *bytes, size_t count) {
    for (;;) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent >= 0) return sent;
        if (errno != EINTR) return -(long)errno;
    }
}

int reactor_set_receive_buffer(int fd, int bytes) {
    if (reactor_set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) == 0) return 0;
    return reactor_set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

int reactor_receive_many(int fd, uint8_t *bytes, size_t stride, reactor_datagram *datagrams, int maximum) {
    struct sockaddr_storage peers[REACTOR_DATAGRAMS_PER_CALL];
    struct iovec parts[REACTOR_DATAGRAMS_PER_CALL];
    struct mmsghdr messages[REACTOR_DATAGRAMS_PER_CALL];
    if (maximum > REACTOR_DATAGRAMS_PER_CALL) maximum = REACTOR_DATAGRAMS_PER_CALL;
    for (int index = 0; index < maximum; index++) {
        parts[index].iov_base = bytes + (size_t)index * stride;
        parts[index].iov_len = stride;
        memset(&messages[index], 0, sizeof messages[index]);
        messages[index].msg_hdr.msg_name = &peers[index];
        messages[index].msg_hdr.msg_namelen = sizeof peers[index];
        messages[index].msg_hdr.msg_iov = &parts[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    int count;
    do {
        count = recvmmsg(fd, messages, (unsigned)maximum, MSG_DONTWAIT, NULL);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    for (int index = 0; index < count; index++) {
        datagrams[index].peer = reactor_address_from(&peers[index]);
        datagrams[index].count = messages[index].msg_len;
        datagrams[index].truncated = (messages[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    return count;
}

int reactor_send_many(int fd, const uint8_t *bytes, const reactor_datagram *datagrams, int count, int mapped) {
    struct sockaddr_storage peers[REACTOR_DATAGRAMS_PER_CALL];
    struct iovec parts[REACTOR_DATAGRAMS_PER_CALL];
    struct mmsghdr messages[REACTOR_DATAGRAMS_PER_CALL];
    if (count > REACTOR_DATAGRAMS_PER_CALL) count = REACTOR_DATAGRAMS_PER_CALL;
    for (int index = 0; index < count; index++) {
        parts[index].iov_base = (void *)bytes;
        parts[index].iov_len = datagrams[index].count;
        bytes += datagrams[index].count;
        memset(&messages[index], 0, sizeof messages[index]);
        messages[index].msg_hdr.msg_name = &peers[index];
        messages[index].msg_hdr.msg_namelen = reactor_address_to(datagrams[index].peer, mapped, &peers[index]);
        messages[index].msg_hdr.msg_iov = &parts[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    int sent;
    do {
        sent = sendmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int reactor_parse_address(const char *text, reactor_address *address) {
    struct in_addr four;
    struct in6_addr six;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &four) == 1) {
        address->family = 4;
        address->low = ntohl(four.s_addr);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &six) != 1) return -EINVAL;
    address->family = 6;
    address->high = reactor_load64(six.s6_addr);
    address->low = reactor_load64(six.s6_addr + 8);
    return 0;
}

int reactor_format_address(reactor_address address, char *text, size_t room) {
    struct sockaddr_storage storage;
    reactor_address_to(address, 0, &storage);
    const void *source = address.family == 4 ? (const void *)&((struct sockaddr_in *)&storage)->sin_addr
                                             : (const void *)&((struct sockaddr_in6 *)&storage)->sin6_addr;
    return inet_ntop(address.family == 4 ? AF_INET : AF_INET6, source, text, (socklen_t)room) ? 0 : -errno;
}
