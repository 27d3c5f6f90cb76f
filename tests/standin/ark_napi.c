/*
 * Where ArkTS's Node-API differs from that of Node and Bun, as functions of our own: a test copy of the library has the
 * import renamed to these (see engine_library in scripts/lib.sh). In a file apart from ace_napi.c, so that the
 * compiler cannot bind the calls to the aborting definitions there.
 */
#include <stddef.h>
#include <stdint.h>

extern int napi_wrap(void *env, void *object, void *native, void *finalize, void *hint, void **result);
extern int napi_reference_ref(void *env, void *reference, uint32_t *count);

/* ArkTS hands out a strong reference (count 1); Node and Bun hand out a weak one (count 0). */
int ark_napi_wrap(void *env, void *object, void *native, void *finalize, void *hint, void **result)
{
    int status = napi_wrap(env, object, native, finalize, hint, result);
    if (status == 0 && result != NULL) {
        uint32_t count = 0;
        status = napi_reference_ref(env, *result, &count);
    }
    return status;
}
