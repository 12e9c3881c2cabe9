#include "CFuzzerEntry.h"

#include <stddef.h>
#include <stdint.h>

// The package manager gives every executable an entry of its own name instead of `main`, so libFuzzer's `main` is not
// taken and its driver is called from here. Its symbol is weak: without the sanitizer the executable still links.
extern int LLVMFuzzerRunDriver(int *, char ***, int (*)(const uint8_t *, size_t)) __attribute__((weak));
extern int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int run(int count, char **arguments) {
    return LLVMFuzzerRunDriver ? LLVMFuzzerRunDriver(&count, &arguments, LLVMFuzzerTestOneInput) : 2;
}

int fuzz_configuration_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_dc09_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_detection_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_ev07b_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_fences_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_gt06_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_jt808_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_people_main(int count, char **arguments) { return run(count, arguments); }
int fuzz_watch_main(int count, char **arguments) { return run(count, arguments); }
