/*
 * Stub of the platform's libace_napi.z.so, for linking and for running outside OpenHarmony.
 *
 * Under a JavaScript engine the engine's own definitions win, since the executable comes first in symbol lookup. A C program
 * has no engine. It can load the library, which registers its module then. A call into Node-API would be a bug, so every such
 * function prints its name and aborts.
 */
#include <stdio.h>
#include <stdlib.h>

#define NAPI(name)                                                                            \
    int name(void)                                                                            \
    {                                                                                         \
        fputs("libace_napi stub: " #name " was called without a JavaScript engine\n", stderr); \
        abort();                                                                              \
    }
#include "napi_names.inc"

/* The platform only notes the module here; it calls the module's function when a script imports it. */
void napi_module_register(void *module)
{
    (void)module;
}
