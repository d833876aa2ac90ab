#include "srcu_shim.h"
