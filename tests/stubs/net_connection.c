/*
 * Stub of the platform's libnet_connection.so. Its default proxy is what the environment says: NWS_PROXY_HOST,
 * NWS_PROXY_PORT and NWS_PROXY_EXCLUSIONS, which are separated by commas. Without a host there is none. With
 * NWS_PROXY_STATUS the call fails with that number. Its network is what a test says with net_connection.h, and there is one
 * at first. -DAPI_VERSION=11 makes the library of a system that does not tell of its network.
 */
#include "net_connection.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef API_VERSION
#define API_VERSION 12
#endif

enum { TEXT_MAX = 256, EXCLUSIONS_MAX = 256 };

/* As in network/netmanager/net_connection_type.h. */
typedef struct {
    char host[TEXT_MAX];
    char exclusionList[EXCLUSIONS_MAX][TEXT_MAX];
    int32_t exclusionListSize;
    uint16_t port;
} NetConn_HttpProxy;

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

int32_t OH_NetConn_GetDefaultHttpProxy(NetConn_HttpProxy *proxy)
{
    const char *rest = variable("NWS_PROXY_EXCLUSIONS");
    int32_t status = (int32_t)atoi(variable("NWS_PROXY_STATUS"));
    if (status != 0) {
        return status;
    }
    memset(proxy, 0, sizeof *proxy);
    snprintf(proxy->host, sizeof proxy->host, "%s", variable("NWS_PROXY_HOST"));
    proxy->port = (uint16_t)atoi(variable("NWS_PROXY_PORT"));
    while (*rest != '\0' && proxy->exclusionListSize < EXCLUSIONS_MAX) {
        size_t length = strcspn(rest, ",");
        snprintf(proxy->exclusionList[proxy->exclusionListSize++], TEXT_MAX, "%.*s", (int)length, rest);
        rest += length + (rest[length] == ',');
    }
    return 0;
}

#if API_VERSION >= 12

enum { CALLBACKS_MAX = 8, FIRST_ID = 7, NO_SUCH_CALLBACK = 2101007, TOO_MANY = 2101022 };

typedef struct {
    int32_t netId;
} NetConn_NetHandle;

/* As in network/netmanager/net_connection_type.h; nobody here looks into the capabilities and the properties. */
typedef struct {
    void (*onNetworkAvailable)(NetConn_NetHandle *network);
    void (*onNetCapabilitiesChange)(NetConn_NetHandle *network, void *capabilities);
    void (*onConnetionProperties)(NetConn_NetHandle *network, void *properties);
    void (*onNetLost)(NetConn_NetHandle *network);
    void (*onNetUnavailable)(void);
    void (*onNetBlockStatusChange)(NetConn_NetHandle *network, bool blocked);
} NetConn_NetConnCallback;

static struct {
    /* Locked while callbacks run: no callback runs after Unregister has returned. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    NetConn_NetConnCallback callbacks[CALLBACKS_MAX];
    bool used[CALLBACKS_MAX];
    int count;
    int32_t refusal;
} registered = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void tell(const NetConn_NetConnCallback *callback, enum StubNotice notice, int32_t number)
{
    NetConn_NetHandle network = { number };
    char nothing = 0;
    switch (notice) {
        case STUB_AVAILABLE: callback->onNetworkAvailable(&network); break;
        case STUB_CAPABILITIES: callback->onNetCapabilitiesChange(&network, &nothing); break;
        case STUB_PROPERTIES: callback->onConnetionProperties(&network, &nothing); break;
        case STUB_LOST: callback->onNetLost(&network); break;
        case STUB_UNAVAILABLE: callback->onNetUnavailable(); break;
        case STUB_BLOCKED: callback->onNetBlockStatusChange(&network, true); break;
        case STUB_UNBLOCKED: callback->onNetBlockStatusChange(&network, false); break;
    }
}

int32_t OH_NetConn_RegisterDefaultNetConnCallback(NetConn_NetConnCallback *callback, uint32_t *id)
{
    int32_t status;
    int at = 0;
    pthread_mutex_lock(&registered.lock);
    status = registered.refusal;
    while (at < CALLBACKS_MAX && registered.used[at]) {
        at++;
    }
    if (status == 0 && at == CALLBACKS_MAX) {
        status = TOO_MANY;
    }
    if (status == 0) {
        registered.callbacks[at] = *callback;
        registered.used[at] = true;
        registered.count++;
        *id = (uint32_t)(FIRST_ID + at);
        /* The network that there is; before the call returns is as early as can be. */
        tell(callback, STUB_AVAILABLE, STUB_FIRST_NETWORK);
        tell(callback, STUB_CAPABILITIES, STUB_FIRST_NETWORK);
        tell(callback, STUB_PROPERTIES, STUB_FIRST_NETWORK);
        /* The caller's is its own again. */
        memset(callback, 0, sizeof *callback);
    }
    pthread_cond_broadcast(&registered.changed);
    pthread_mutex_unlock(&registered.lock);
    return status;
}

int32_t OH_NetConn_UnregisterNetConnCallback(uint32_t id)
{
    int32_t status = NO_SUCH_CALLBACK;
    pthread_mutex_lock(&registered.lock);
    if (id >= FIRST_ID && id < FIRST_ID + CALLBACKS_MAX && registered.used[id - FIRST_ID]) {
        registered.used[id - FIRST_ID] = false;
        registered.count--;
        status = 0;
    }
    pthread_cond_broadcast(&registered.changed);
    pthread_mutex_unlock(&registered.lock);
    return status;
}

void stub_tell(enum StubNotice notice, int32_t network)
{
    pthread_mutex_lock(&registered.lock);
    for (int at = 0; at < CALLBACKS_MAX; at++) {
        if (registered.used[at]) {
            tell(&registered.callbacks[at], notice, network);
        }
    }
    pthread_mutex_unlock(&registered.lock);
}

void stub_refuse(int32_t status)
{
    pthread_mutex_lock(&registered.lock);
    registered.refusal = status;
    pthread_mutex_unlock(&registered.lock);
}

int stub_await(int count, unsigned seconds)
{
    struct timespec until;
    int last;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&registered.lock);
    while (registered.count != count &&
           pthread_cond_timedwait(&registered.changed, &registered.lock, &until) != ETIMEDOUT) {
    }
    last = registered.count;
    pthread_mutex_unlock(&registered.lock);
    return last;
}

#endif
