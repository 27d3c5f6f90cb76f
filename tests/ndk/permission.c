/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An app without ohos.permission.INTERNET: its C library refuses each socket for the network with EPERM. Here the program's
 * own `socket` does so, in the place of the C library's.
 */

#define _GNU_SOURCE 1

#include "check.h"

#include <network/netstack/net_websocket_ext.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static const char *ws;
/* What sockets for the network fail with; 0 for those that are made. */
static int refusal;
static int asked;

int socket(int domain, int type, int protocol)
{
    if (domain == AF_INET || domain == AF_INET6) {
        int cause = __atomic_load_n(&refusal, __ATOMIC_SEQ_CST);
        __atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
        if (cause != 0) {
            errno = cause;
            return -1;
        }
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}

static void refuse_sockets(int cause)
{
    __atomic_store_n(&refusal, cause, __ATOMIC_SEQ_CST);
}

static void connect_names_the_missing_permission(void)
{
    static const int causes[] = { EPERM, EACCES };
    size_t at;
    for (at = 0; at < sizeof causes / sizeof causes[0]; at++) {
        struct WebSocket_RequestOptions none = { NULL };
        struct Probe *probe = probe_new();
        refuse_sockets(causes[at]);
        CHECK_INT(probe_connect(probe, ws, "/"), NWS_NO_PERMISSION);
        CHECK_INT(NWS_NO_PERMISSION, 1020);
        CHECK_HAS(NWS_LastErrorMessage(), "ohos.permission.INTERNET");
        /* Before the URL is looked at, and behind the client. */
        CHECK_INT(OH_WebSocketClient_Connect(probe->client, NULL, none), NWS_NO_PERMISSION);
        CHECK_INT(OH_WebSocketClient_Connect(probe->client, "", none), NWS_NO_PERMISSION);
        CHECK_INT(OH_WebSocketClient_Connect(NULL, ws, none), WEBSOCKET_CLIENT_NULL);
        /* No connection was begun. */
        CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_NO_CONNECTION);
        CHECK_INT(NWS_GetState(probe->client), NWS_IDLE);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
        CHECK_INT(probe->count, 0);
    }
    CHECK_TEXT(NWS_ErrorName(NWS_NO_PERMISSION), "NWS_NO_PERMISSION");
}

static void a_shortage_of_sockets_is_not_reported_as_a_missing_permission(void)
{
    struct Probe *probe = probe_new();
    refuse_sockets(EMFILE);
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, ERROR, 0)->code, WEBSOCKET_CONNECTION_ERROR);
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void checks_the_permission_until_it_is_granted(void)
{
    struct Probe *probe = probe_new();
    int before;
    refuse_sockets(EPERM);
    CHECK_INT(probe_connect(probe, ws, "/"), NWS_NO_PERMISSION);
    refuse_sockets(0);
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    probe_round_trip_text(probe, "allowed");
    probe_finish(probe);

    /* From now on a connection costs no socket but its own. */
    probe = probe_new();
    before = __atomic_load_n(&asked, __ATOMIC_SEQ_CST);
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    CHECK_INT(__atomic_load_n(&asked, __ATOMIC_SEQ_CST), before + 1);
    probe_finish(probe);
}

int main(void)
{
    check_begin("permission", 300);
    ws = required("WS_URL");
    RUN(connect_names_the_missing_permission);
    RUN(a_shortage_of_sockets_is_not_reported_as_a_missing_permission);
    RUN(checks_the_permission_until_it_is_granted);
    return check_end();
}
