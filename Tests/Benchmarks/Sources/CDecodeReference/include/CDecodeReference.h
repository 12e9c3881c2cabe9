#pragma once

// The decoding of JT/T 808 location reports as one would write it in C: what the Swift decoder is measured against.

#include <stddef.h>
#include <stdint.h>

/// Sums over everything that was decoded; two decoders that agree on every value agree on these.
typedef struct {
    uint64_t frames;
    uint64_t rejected;
    uint64_t escaped;
    uint64_t phone;
    uint64_t flow;
    uint64_t alarms;
    uint64_t status;
    uint64_t latitude;
    uint64_t longitude;
    uint64_t altitude;
    uint64_t speed;
    uint64_t direction;
    uint64_t seconds;
    uint64_t mileage;
    uint64_t signal;
    uint64_t satellites;
    uint64_t battery;
    uint64_t items;
    uint64_t otherBytes;
} decode_digest;

/// Finds, unescapes, checks and decodes every frame of `bytes`, adding what it finds to `digest`.
void reference_decode(const uint8_t *bytes, size_t count, decode_digest *digest);

/// How often memory has been asked for on the heap since the start of the process.
uint64_t reference_allocations(void);

/// Gives what is free on the heap back to the system, so that resident memory is what is in use.
void reference_trim(void);
