/*
 * Stand-in for the platform's libnet_connection.so. Its default proxy is what the environment says: NWS_PROXY_HOST,
 * NWS_PROXY_PORT and NWS_PROXY_EXCLUSIONS, which are separated by commas. Without a host there is none. With
 * NWS_PROXY_STATUS the call fails with that number.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
