/* A Node-API module that drives an NDK client of the library which the same process has loaded for its ArkTS API.
 *
 *   start(library, url)   connects
 *   send()                sends one message; true when it was accepted
 *   counts()              [opened, messages, errors, closed]
 *   stop()                closes and destroys
 *   environment()         the address of the environment that calls, as a number
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* It finds the library that the engine has loaded. */
#define NET_WEBSOCKET_ANY_LIBRARY 1
#include "network/netstack/net_websocket.h"

/* The part of Node-API that is used here; the values are its ABI's. */
typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
int napi_set_named_property(napi_env, napi_value, const char *, napi_value);
int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
int napi_get_boolean(napi_env, bool, napi_value *);
int napi_create_int32(napi_env, int32_t, napi_value *);
int napi_create_double(napi_env, double, napi_value *);
int napi_create_array(napi_env, napi_value *);
int napi_set_element(napi_env, napi_value, uint32_t, napi_value);

static struct {
    struct WebSocket *(*constructor)(WebSocket_OnOpenCallback, WebSocket_OnMessageCallback, WebSocket_OnErrorCallback,
                                     WebSocket_OnCloseCallback);
    int (*connect)(struct WebSocket *, const char *, struct WebSocket_RequestOptions);
    int (*send)(struct WebSocket *, char *, size_t);
    int (*close)(struct WebSocket *, struct WebSocket_CloseOption);
    int (*destroy)(struct WebSocket *);
} ndk;

static struct WebSocket *client;
static atomic_int opened, messages, errors, closed;

static void on_open(struct WebSocket *from, WebSocket_OpenResult result)
{
    (void)from;
    (void)result;
    atomic_fetch_add(&opened, 1);
}

static void on_message(struct WebSocket *from, char *data, uint32_t length)
{
    (void)from;
    (void)data;
    (void)length;
    atomic_fetch_add(&messages, 1);
}

static void on_error(struct WebSocket *from, WebSocket_ErrorResult result)
{
    (void)from;
    (void)result;
    atomic_fetch_add(&errors, 1);
}

static void on_close(struct WebSocket *from, WebSocket_CloseResult result)
{
    (void)from;
    (void)result;
    atomic_fetch_add(&closed, 1);
}

static napi_value boolean(napi_env env, bool value)
{
    napi_value result = NULL;
    napi_get_boolean(env, value, &result);
    return result;
}

static napi_value start(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    size_t count = 2, length;
    char library[4096], url[512];
    napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
    napi_get_value_string_utf8(env, arguments[0], library, sizeof library, &length);
    napi_get_value_string_utf8(env, arguments[1], url, sizeof url, &length);
    /* The very library that the engine has loaded, and no second copy. */
    void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
    if (handle == NULL) {
        return boolean(env, false);
    }
    *(void **)&ndk.constructor = dlsym(handle, "OH_WebSocketClient_Constructor");
    *(void **)&ndk.connect = dlsym(handle, "OH_WebSocketClient_Connect");
    *(void **)&ndk.send = dlsym(handle, "OH_WebSocketClient_Send");
    *(void **)&ndk.close = dlsym(handle, "OH_WebSocketClient_Close");
    *(void **)&ndk.destroy = dlsym(handle, "OH_WebSocketClient_Destroy");
    client = ndk.constructor(on_open, on_message, on_error, on_close);
    struct WebSocket_RequestOptions options = {NULL};
    return boolean(env, client != NULL && ndk.connect(client, url, options) == WEBSOCKET_OK);
}

static napi_value send(napi_env env, napi_callback_info info)
{
    (void)info;
    char text[] = "from the NDK client";
    return boolean(env, ndk.send(client, text, strlen(text)) == WEBSOCKET_OK);
}

static napi_value counts(napi_env env, napi_callback_info info)
{
    (void)info;
    int values[] = {atomic_load(&opened), atomic_load(&messages), atomic_load(&errors), atomic_load(&closed)};
    napi_value array = NULL;
    napi_create_array(env, &array);
    for (uint32_t index = 0; index < sizeof values / sizeof values[0]; index++) {
        napi_value value = NULL;
        napi_create_int32(env, values[index], &value);
        napi_set_element(env, array, index, value);
    }
    return array;
}

static napi_value stop(napi_env env, napi_callback_info info)
{
    (void)info;
    struct WebSocket_CloseOption option = {1000, "done"};
    bool stopped = ndk.close(client, option) == WEBSOCKET_OK;
    stopped &= ndk.destroy(client) == WEBSOCKET_OK;
    client = NULL;
    return boolean(env, stopped);
}

static napi_value environment(napi_env env, napi_callback_info info)
{
    (void)info;
    napi_value result = NULL;
    napi_create_double(env, (double)(uintptr_t)env, &result);
    return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    static const struct {
        const char *name;
        napi_callback body;
    } functions[] = {{"start", start}, {"send", send}, {"counts", counts}, {"stop", stop}, {"environment", environment}};
    for (size_t index = 0; index < sizeof functions / sizeof functions[0]; index++) {
        napi_value function = NULL;
        napi_create_function(env, functions[index].name, SIZE_MAX, functions[index].body, NULL, &function);
        napi_set_named_property(env, exports, functions[index].name, function);
    }
    return exports;
}
