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

/// Converts text between GBK and UTF-8. A sequence that the source encoding does not have, or that the target cannot
/// express, becomes U+FFFD (UTF-8) or `?` (GBK); this never fails. `output` holds at least 3 x count + 4 bytes.
/// Returns the number of bytes written.
size_t cwb_gbk_to_utf8(const uint8_t *input, size_t count, uint8_t *output, size_t capacity);
size_t cwb_utf8_to_gbk(const uint8_t *input, size_t count, uint8_t *output, size_t capacity);
