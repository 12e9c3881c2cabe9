// libasound, as Debian's libasound2-dev installs it.
#pragma once
#include <alsa/asoundlib.h>
