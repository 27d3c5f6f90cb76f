/*
 * Stub of the platform's libnet_ssl.so. What an app declares in its network_config.json is what the environment says, for the
 * host NWS_SSL_HOST alone: NWS_SSL_PINS as the platform writes them, NWS_SSL_ANCHORS with a semicolon between folders,
 * NWS_SSL_CLEARTEXT=0 for a ban of it. NWS_SSL_COMPONENT is what it says of the Network Kit. With NWS_SSL_STATUS each call fails
 * with that number. -DAPI_VERSION=12 makes the library of a system that does not tell of clear text.
 */
#include "net_ssl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef API_VERSION
#define API_VERSION 20
#endif

enum { INVALID_PARAMETER = 2100001 };

/* As in network/netssl/net_ssl_c_type.h. */
typedef struct {
    int kind;
    int hashAlgorithm;
    union {
        char *publicKeyHash;
    };
} NetStack_CertificatePinning;

typedef struct {
    char **content;
    size_t length;
} NetStack_Certificates;

/* Lists that were handed out and not destroyed. */
static int lent;

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static const char *of_host(const char *host, const char *name)
{
    return strcmp(host, variable("NWS_SSL_HOST")) == 0 ? variable(name) : "";
}

static int32_t status(void)
{
    return (int32_t)atoi(variable("NWS_SSL_STATUS"));
}

int32_t OH_NetStack_GetPinSetForHostName(const char *host, NetStack_CertificatePinning *pin)
{
    const char *pins = of_host(host, "NWS_SSL_PINS");
    if (status() != 0) {
        return status();
    }
    pin->kind = 0;
    pin->hashAlgorithm = 0;
    /* The caller frees it. */
    pin->publicKeyHash = *pins == '\0' ? NULL : strdup(pins);
    return 0;
}

int32_t OH_NetStack_GetCertificatesForHostName(const char *host, NetStack_Certificates *certificates)
{
    const char *rest = of_host(host, "NWS_SSL_ANCHORS");
    char *copy;
    if (status() != 0) {
        return status();
    }
    certificates->content = NULL;
    certificates->length = 0;
    if (*rest == '\0') {
        return 0;
    }
    /* One piece of memory, as there: the list, and behind it the texts. */
    certificates->content = (char **)malloc(8 * sizeof(char *) + strlen(rest) + 1);
    copy = (char *)(certificates->content + 8);
    strcpy(copy, rest);
    while (copy != NULL && certificates->length < 8) {
        char *end = strchr(copy, ';');
        certificates->content[certificates->length++] = copy;
        if (end != NULL) {
            *end++ = '\0';
        }
        copy = end;
    }
    lent++;
    return 0;
}

void OH_Netstack_DestroyCertificatesContent(NetStack_Certificates *certificates)
{
    if (certificates->content != NULL) {
        free(certificates->content);
        certificates->content = NULL;
        certificates->length = 0;
        lent--;
    }
}

int stub_lent(void)
{
    return lent;
}

#if API_VERSION >= 18

int32_t OH_Netstack_IsCleartextPermittedByHostName(const char *host, bool *permitted)
{
    if (status() != 0) {
        return status();
    }
    *permitted = strcmp(of_host(host, "NWS_SSL_CLEARTEXT"), "0") != 0;
    return 0;
}

#endif

#if API_VERSION >= 20

int32_t OH_Netstack_IsCleartextCfgByComponent(const char *component, bool *heeds)
{
    const char *said = variable("NWS_SSL_COMPONENT");
    if (strcmp(component, "Network Kit") != 0 || *said == '\0') {
        return INVALID_PARAMETER;
    }
    *heeds = strcmp(said, "0") != 0;
    return 0;
}

#endif
