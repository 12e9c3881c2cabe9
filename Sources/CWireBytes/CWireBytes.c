#include "CWireBytes.h"

#include <errno.h>
#include <iconv.h>

typedef struct {
    iconv_t handle;
    int opened;
} converter;

// One converter a thread: opening one loads a table, and iconv(3) keeps state that threads must not share.
static _Thread_local converter fromGBK;
static _Thread_local converter toGBK;

static iconv_t prepared(converter *which, const char *to, const char *from) {
    if (!which->opened) {
        which->handle = iconv_open(to, from);
        which->opened = 1;
    }
    return which->handle;
}

// How many bytes of undecodable input to step over: in UTF-8 the whole character, else one byte.
static size_t unit(const uint8_t *at, size_t left, int isUTF8) {
    size_t length = 1;
    if (isUTF8 && at[0] >= 0xC0) {
        while (length < left && length < 4 && (at[length] & 0xC0) == 0x80) {
            length++;
        }
    }
    return length;
}

static size_t convert(
    iconv_t handle, const uint8_t *input, size_t count, uint8_t *output, size_t capacity,
    const char *replacement, size_t replacementLength, int isUTF8) {
    char *in = (char *)(uintptr_t)input;
    char *out = (char *)output;
    size_t inLeft = count;
    size_t outLeft = capacity;
    int usable = handle != (iconv_t)-1;
    if (usable) {
        iconv(handle, NULL, NULL, NULL, NULL);
    }
    while (inLeft > 0) {
        if (usable && iconv(handle, &in, &inLeft, &out, &outLeft) != (size_t)-1) {
            break;
        }
        if (usable && errno == E2BIG) {
            break;
        }
        if (!usable && (uint8_t)*in < 0x80) {
            // Without a conversion table plain ASCII still passes.
            if (outLeft < 1) break;
            *out++ = *in++;
            inLeft--;
            outLeft--;
            continue;
        }
        if (inLeft == 0 || outLeft < replacementLength) {
            break;
        }
        memcpy(out, replacement, replacementLength);
        out += replacementLength;
        outLeft -= replacementLength;
        size_t step = unit((const uint8_t *)in, inLeft, isUTF8);
        in += step;
        inLeft -= step;
    }
    return capacity - outLeft;
}

size_t cwb_gbk_to_utf8(const uint8_t *input, size_t count, uint8_t *output, size_t capacity) {
    return convert(prepared(&fromGBK, "UTF-8", "GBK"), input, count, output, capacity, "\xEF\xBF\xBD", 3, 0);
}

size_t cwb_utf8_to_gbk(const uint8_t *input, size_t count, uint8_t *output, size_t capacity) {
    return convert(prepared(&toGBK, "GBK", "UTF-8"), input, count, output, capacity, "?", 1, 1);
}
