#include "CDecodeReference.h"

#include "CWireBytes.h"

static inline uint16_t be16(const uint8_t *at) {
    return (uint16_t)((uint16_t)at[0] << 8 | at[1]);
}

static inline uint32_t be32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline int bcd(uint8_t byte) {
    return (byte >> 4) * 10 + (byte & 15);
}

/// Seconds since 1970 of a BCD time in UTC+8, or -1 for nonsense.
static int64_t seconds_of(const uint8_t *at) {
    uint64_t raw = (uint64_t)be16(at) << 32 | be32(at + 2);
    uint64_t lower = (raw & 0x777777777777ULL) + 0x666666666666ULL;
    int year = bcd(at[0]), month = bcd(at[1]), day = bcd(at[2]);
    int hour = bcd(at[3]), minute = bcd(at[4]), second = bcd(at[5]);
    if (raw & lower & 0x888888888888ULL) return -1;
    if (year < 1 || year >= 70 || month < 1 || month > 12 || day < 1) return -1;
    if (hour > 23 || minute > 59 || second > 59) return -1;
    int leap = (year & 3) == 0;
    if (day > 28 + ((0x3BBEECC >> (month * 2)) & 3) + (month == 2 ? leap : 0)) return -1;
    int before = (367 * month - 362) / 12 - (month > 2 ? 2 - leap : 0);
    int64_t days = 10957 + year * 365 + ((year + 3) >> 2) + before + day - 1;
    return ((days * 24 + hour) * 60 + minute - 480) * 60 + second;
}

static void items(const uint8_t *at, size_t count, decode_digest *digest) {
    size_t offset = 0;
    while (count - offset >= 2) {
        uint8_t id = at[offset];
        size_t length = at[offset + 1];
        if (id == 0 || length > count - offset - 2) break;
        const uint8_t *value = at + offset + 2;
        offset += 2 + length;
        digest->items++;
        if (id == 0x01 && length == 4) {
            digest->mileage += be32(value);
        } else if (id == 0x30 && length == 1) {
            digest->signal += value[0];
        } else if (id == 0x31 && length == 1) {
            digest->satellites += value[0];
        } else if (id == 0x56 && length == 2) {
            digest->battery += value[1];
        } else {
            digest->otherBytes += length;
        }
    }
}

static void frame(const uint8_t *run, size_t count, decode_digest *digest) {
    if (count < 13 || cwb_xor(run, count) != 0) {
        digest->rejected++;
        return;
    }
    uint16_t attributes = be16(run + 2);
    int is2019 = (attributes & 0x4000) != 0;
    int isPackage = (attributes & 0x2000) != 0;
    size_t header = (is2019 ? 17u : 12u) + (isPackage ? 4u : 0u);
    if (header >= count || be16(run) != 0x0200 || isPackage || count - 1 - header < 28) {
        digest->rejected++;
        return;
    }
    const uint8_t *phone = run + (is2019 ? 9 : 4);
    digest->phone += (uint64_t)be16(phone) << 32 | be32(phone + 2);
    digest->flow += be16(run + header - 2);
    const uint8_t *body = run + header;
    digest->frames++;
    digest->alarms += be32(body);
    digest->status += be32(body + 4);
    digest->latitude += be32(body + 8);
    digest->longitude += be32(body + 12);
    digest->altitude += (uint64_t)(int64_t)(int16_t)be16(body + 16);
    digest->speed += be16(body + 18);
    digest->direction += be16(body + 20);
    digest->seconds += (uint64_t)seconds_of(body + 22);
    items(body + 28, count - 1 - header - 28, digest);
}

void reference_decode(const uint8_t *bytes, size_t count, decode_digest *digest) {
    static uint8_t scratch[4096];
    size_t start = 0;
    int opened = 0;
    for (;;) {
        cwb_scan_result found = cwb_scan(bytes, count, start, 0x7E, 0x7D);
        if (found.end == count) return;
        const uint8_t *run = bytes + start;
        size_t length = found.end - start;
        size_t mark = found.mark - start;
        start = found.end + 1;
        if (!opened) {
            opened = 1;
            continue;
        }
        if (length <= 3) continue;
        if (length > sizeof scratch) {
            digest->rejected++;
            continue;
        }
        if (mark < length) {
            ptrdiff_t plain = cwb_unescape_7d(run, length, mark, scratch);
            if (plain < 0) {
                digest->rejected++;
                continue;
            }
            digest->escaped++;
            frame(scratch, (size_t)plain, digest);
        } else {
            frame(run, length, digest);
        }
    }
}
