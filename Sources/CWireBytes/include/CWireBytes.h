#pragma once

// Byte work that the standard library has no fast form for: a finder that looks for two byte values in one pass,
// the removal of escape pairs, an XOR over a run, and text conversion through iconv(3).
//
// Everything on the way of a frame is `static inline`, so that it is compiled into its Swift caller.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// CWB_PORTABLE leaves the SSE2 forms out, so that a benchmark can show what a processor without them does.
#if defined(__SSE2__) && !defined(CWB_PORTABLE)
#define CWB_SSE2 1
#include <emmintrin.h>
#endif

/// Where a scan stopped: `end` is the offset of the first `stop` byte (or the count), `mark` the offset of the first
/// `mark` byte before it (or `end` when there is none).
typedef struct {
    size_t end;
    size_t mark;
} cwb_scan_result;

/// A byte of all ones in each position where `word` has a zero byte; exact, without false hits above a true one.
static inline uint64_t cwb_zero_bytes(uint64_t word) {
    const uint64_t low7 = 0x7F7F7F7F7F7F7F7FULL;
    return ~(((word & low7) + low7) | word | low7);
}

/// Finds the first `stop` byte at or after `from`, noting the first `mark` byte on the way, eight bytes at a time.
static inline cwb_scan_result cwb_scan_portable(
    const uint8_t *bytes, size_t count, size_t from, uint8_t stop, uint8_t mark) {
    const uint64_t ones = 0x0101010101010101ULL;
    cwb_scan_result result = {count, count};
    size_t marked = SIZE_MAX;
    size_t at = from;
    while (at < count && count - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap64(word);
#endif
        uint64_t stops = cwb_zero_bytes(word ^ (ones * stop));
        uint64_t marks = cwb_zero_bytes(word ^ (ones * mark));
        if (__builtin_expect((stops | marks) != 0, 0)) {
            if (marks != 0 && marked == SIZE_MAX) {
                marked = at + (size_t)(__builtin_ctzll(marks) >> 3);
            }
            if (stops != 0) {
                result.end = at + (size_t)(__builtin_ctzll(stops) >> 3);
                result.mark = marked < result.end ? marked : result.end;
                return result;
            }
        }
        at += 8;
    }
    for (; at < count; at++) {
        if (bytes[at] == stop) {
            result.end = at;
            break;
        }
        if (bytes[at] == mark && marked == SIZE_MAX) {
            marked = at;
        }
    }
    result.mark = marked < result.end ? marked : result.end;
    return result;
}

/// The same with sixteen bytes at a time where the processor has SSE2 (every x86-64), else the portable form.
static inline cwb_scan_result cwb_scan(
    const uint8_t *bytes, size_t count, size_t from, uint8_t stop, uint8_t mark) {
#if defined(CWB_SSE2)
    const __m128i stops = _mm_set1_epi8((char)stop);
    const __m128i marks = _mm_set1_epi8((char)mark);
    size_t marked = SIZE_MAX;
    size_t at = from;
    while (at < count && count - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(bytes + at));
        unsigned stopBits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, stops));
        unsigned markBits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, marks));
        if (__builtin_expect(markBits != 0 && marked == SIZE_MAX, 0)) {
            marked = at + (size_t)__builtin_ctz(markBits);
        }
        if (stopBits != 0) {
            cwb_scan_result found;
            found.end = at + (size_t)__builtin_ctz(stopBits);
            found.mark = marked < found.end ? marked : found.end;
            return found;
        }
        at += 16;
    }
    cwb_scan_result rest = cwb_scan_portable(bytes, count, at < count ? at : count, stop, mark);
    if (marked < rest.mark) {
        rest.mark = marked;
    }
    return rest;
#else
    return cwb_scan_portable(bytes, count, from, stop, mark);
#endif
}

/// XOR of all bytes, eight at a time.
static inline uint8_t cwb_xor_portable(const uint8_t *bytes, size_t count) {
    uint64_t sum = 0;
    size_t at = 0;
    for (; count - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        sum ^= word;
    }
    sum ^= sum >> 32;
    sum ^= sum >> 16;
    sum ^= sum >> 8;
    uint8_t result = (uint8_t)sum;
    for (; at < count; at++) {
        result ^= bytes[at];
    }
    return result;
}

/// XOR of all bytes, sixteen at a time where the processor has SSE2.
static inline uint8_t cwb_xor(const uint8_t *bytes, size_t count) {
#if defined(CWB_SSE2)
    if (count < 16) {
        return cwb_xor_portable(bytes, count);
    }
    __m128i sum = _mm_setzero_si128();
    size_t at = 0;
    for (; count - at >= 16; at += 16) {
        sum = _mm_xor_si128(sum, _mm_loadu_si128((const __m128i *)(const void *)(bytes + at)));
    }
    uint64_t halves[2];
    _mm_storeu_si128((__m128i *)(void *)halves, sum);
    uint64_t word = halves[0] ^ halves[1];
    word ^= word >> 32;
    word ^= word >> 16;
    word ^= word >> 8;
    return (uint8_t)word ^ cwb_xor_portable(bytes + at, count - at);
#else
    return cwb_xor_portable(bytes, count);
#endif
}

/// Copies `count` bytes and replaces the pairs 7D 01 by 7D and 7D 02 by 7E; `firstEscape` is the offset of the first 7D.
/// `output` holds at least `count` bytes. Returns the length written, or -1 - offset of a pair that is neither.
static inline ptrdiff_t cwb_unescape_7d(const uint8_t *bytes, size_t count, size_t firstEscape, uint8_t *output) {
    size_t written = firstEscape;
    memcpy(output, bytes, firstEscape);
    for (size_t at = firstEscape; at < count; at++) {
        uint8_t byte = bytes[at];
        if (byte == 0x7D) {
            if (count - at < 2 || (uint8_t)(bytes[at + 1] - 1) > 1) {
                return -1 - (ptrdiff_t)at;
            }
            at++;
            byte = (uint8_t)(0x7C + bytes[at]);
        }
        output[written++] = byte;
    }
    return (ptrdiff_t)written;
}

// CRC-16/X-25: polynomial 0x1021 bit-reflected. A byte's share of the check is the XOR of the shares of its bits, so the
// tables for a byte with 0, 1, 2 and 3 bytes behind it are written down by their eight bits.
#define CWB_CRC_BYTE(b, k0, k1, k2, k3, k4, k5, k6, k7) \
    (uint16_t)((((b) & 1) ? k0 : 0) ^ (((b) & 2) ? k1 : 0) ^ (((b) & 4) ? k2 : 0) ^ (((b) & 8) ? k3 : 0) ^ \
               (((b) & 16) ? k4 : 0) ^ (((b) & 32) ? k5 : 0) ^ (((b) & 64) ? k6 : 0) ^ (((b) & 128) ? k7 : 0))
#define CWB_CRC_4(b, ...) \
    CWB_CRC_BYTE((b), __VA_ARGS__), CWB_CRC_BYTE((b) + 1, __VA_ARGS__), CWB_CRC_BYTE((b) + 2, __VA_ARGS__), \
        CWB_CRC_BYTE((b) + 3, __VA_ARGS__)
#define CWB_CRC_16(b, ...) \
    CWB_CRC_4((b), __VA_ARGS__), CWB_CRC_4((b) + 4, __VA_ARGS__), CWB_CRC_4((b) + 8, __VA_ARGS__), \
        CWB_CRC_4((b) + 12, __VA_ARGS__)
#define CWB_CRC_64(b, ...) \
    CWB_CRC_16((b), __VA_ARGS__), CWB_CRC_16((b) + 16, __VA_ARGS__), CWB_CRC_16((b) + 32, __VA_ARGS__), \
        CWB_CRC_16((b) + 48, __VA_ARGS__)
#define CWB_CRC_TABLE(...) \
    {CWB_CRC_64(0, __VA_ARGS__), CWB_CRC_64(64, __VA_ARGS__), CWB_CRC_64(128, __VA_ARGS__), \
     CWB_CRC_64(192, __VA_ARGS__)}

static const uint16_t cwb_crc_x25_tables[4][256] = {
    CWB_CRC_TABLE(0x1189, 0x2312, 0x4624, 0x8C48, 0x1081, 0x2102, 0x4204, 0x8408),
    CWB_CRC_TABLE(0x19D8, 0x33B0, 0x6760, 0xCEC0, 0x9591, 0x2333, 0x4666, 0x8CCC),
    CWB_CRC_TABLE(0x5ADC, 0xB5B8, 0x6361, 0xC6C2, 0x8595, 0x033B, 0x0676, 0x0CEC),
    CWB_CRC_TABLE(0x1CBB, 0x3976, 0x72EC, 0xE5D8, 0xC3A1, 0x8F53, 0x16B7, 0x2D6E),
};

/// CRC-16/X-25 over `count` bytes, four at a time; `crc` is 0xFFFF at the start and not yet inverted at the end.
static inline uint16_t cwb_crc_x25(const uint8_t *bytes, size_t count, uint16_t crc) {
    size_t at = 0;
    for (; count - at >= 4; at += 4) {
        crc ^= (uint16_t)(bytes[at] | bytes[at + 1] << 8);
        crc = cwb_crc_x25_tables[3][crc & 0xFF] ^ cwb_crc_x25_tables[2][crc >> 8] ^
              cwb_crc_x25_tables[1][bytes[at + 2]] ^ cwb_crc_x25_tables[0][bytes[at + 3]];
    }
    for (; at < count; at++) {
        crc = (uint16_t)(crc >> 8) ^ cwb_crc_x25_tables[0][(crc ^ bytes[at]) & 0xFF];
    }
    return crc;
}

/// Converts text between GBK and UTF-8. A sequence that the source encoding does not have, or that the target cannot
/// express, becomes U+FFFD (UTF-8) or `?` (GBK); this never fails. `output` holds at least 3 x count + 4 bytes.
/// Returns the number of bytes written.
size_t cwb_gbk_to_utf8(const uint8_t *input, size_t count, uint8_t *output, size_t capacity);
size_t cwb_utf8_to_gbk(const uint8_t *input, size_t count, uint8_t *output, size_t capacity);
