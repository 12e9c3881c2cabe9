#include "CWireBytes.h"
