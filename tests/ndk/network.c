/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Changes of the network, reported by a stub of the platform's libnet_connection.so. With the argument "deaf" the platform
 * reports nothing: its library is missing or older.
 */

#include "check.h"

#include <dlfcn.h>
#include <network/netstack/net_websocket_ext.h>

#include "../stubs/net_connection.h"

#define OTHER_NETWORK 101
#define PERMISSION_DENIED 201
#define ELSEWHERE "elsewhere.test"

static const char *ws;

static struct {
    __typeof__(&stub_tell) tell;
    __typeof__(&stub_refuse) refuse;
    __typeof__(&stub_await) await;
} platform;

/* --- clients that count what happens to them --- */

struct Counter {
    struct WebSocket *client;
    struct Flag opened, received, reconnecting, prepared, pinged, ponged;
    char message[256];
};

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    (void)client, (void)response;
    flag_raise(&((struct Counter *)data)->opened);
}

static void on_message(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    (void)client, (void)message;
    flag_raise(&((struct Counter *)data)->received);
}

static void on_reconnecting(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    struct Counter *counter = (struct Counter *)data;
    (void)client;
    snprintf(counter->message, sizeof counter->message, "%s", reconnecting->message);
    flag_raise(&counter->reconnecting);
}

static int32_t on_prepare(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    (void)client, (void)reconnecting;
    flag_raise(&((struct Counter *)data)->prepared);
    return NWS_PREPARE_PROCEED;
}

static void on_frame(struct WebSocket *client, void *data, const struct NWS_Frame *frame)
{
    struct Counter *counter = (struct Counter *)data;
    (void)client;
    if (frame->sent && frame->opcode == 9) {
        flag_raise(&counter->pinged);
    } else if (!frame->sent && frame->opcode == 10) {
        flag_raise(&counter->ponged);
    }
}

/* A client of `server` that is open. It connects again, as soon as it may, and goes by the network or not. */
static struct Counter *counter_open_to(const char *server, const char *path, int ignores_network)
{
    struct WebSocket_Header host = { ELSEWHERE, "127.0.0.1", NULL };
    struct Counter *counter = (struct Counter *)calloc(1, sizeof *counter);
    WebSocket_RequestOptions none = { NULL };
    struct NWS_ReconnectOptions again;
    struct NWS_Callbacks callbacks;
    struct NWS_Options options;
    char url[URL_BYTES];
    if (counter == NULL) {
        abort();
    }
    counter->client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = counter;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onReconnecting = on_reconnecting;
    callbacks.onPrepare = on_prepare;
    callbacks.onFrame = on_frame;
    CHECK_INT(NWS_SetCallbacks(counter->client, &callbacks), WEBSOCKET_OK);
    /* No pings but those that a change calls for. */
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.pingIntervalMs = 0;
    options.hosts = &host;
    CHECK_INT(NWS_SetOptions(counter->client, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_InitReconnectOptions(&again, sizeof again), WEBSOCKET_OK);
    again.delayMs = 1;
    again.maxDelayMs = 1;
    again.ignoreNetwork = (uint8_t)ignores_network;
    CHECK_INT(NWS_SetReconnect(counter->client, &again), WEBSOCKET_OK);
    snprintf(url, sizeof url, "%s%s", server, path);
    CHECK_INT(OH_WebSocketClient_Connect(counter->client, url, none), WEBSOCKET_OK);
    CHECK(flag_await(&counter->opened, 1));
    return counter;
}

/* Of a server of which nothing shows that it is on this device. */
static struct Counter *counter_open(const char *path, int ignores_network)
{
    char server[URL_BYTES];
    snprintf(server, sizeof server, "ws://%s%s", ELSEWHERE, strrchr(ws, ':'));
    return counter_open_to(server, path, ignores_network);
}

static void counter_end(struct Counter *counter)
{
    CHECK_INT(OH_WebSocketClient_Destroy(counter->client), WEBSOCKET_OK);
    free(counter);
}

static void counter_send(struct Counter *counter)
{
    CHECK_INT(NWS_SendText(counter->client, "x", 1), WEBSOCKET_OK);
}

/* A message and its echo; what the session had to do before is done. */
static void counter_round_trip(struct Counter *counter)
{
    int before = flag_count(&counter->received);
    counter_send(counter);
    CHECK(flag_await(&counter->received, before + 1));
}

/* Loses the connection at /drop, and waits until the client means to connect again. */
static void counter_drop(struct Counter *counter)
{
    /* Each connection is lost once; this one perhaps by now, as a change of the network calls for a ping. */
    int losses = flag_count(&counter->opened);
    counter_send(counter);
    CHECK(flag_await(&counter->reconnecting, losses));
}

/* Loses the connection, and is connected again. */
static void counter_comes_back(struct Counter *counter)
{
    int before = flag_count(&counter->opened);
    counter_drop(counter);
    CHECK(flag_await(&counter->opened, before + 1));
}

/* Time for attempts, by those of a client that does not care for the network. */
static void others_connect_again(void)
{
    struct Counter *other = counter_open("/drop", 1);
    int times;
    for (times = 0; times < 5; times++) {
        counter_comes_back(other);
    }
    counter_end(other);
}

#define AWAIT_REGISTERED(count) CHECK_INT(platform.await(count, EVENT_DEADLINE_S), count)

/* --- a platform that tells --- */

static void listens_to_network_events_while_a_client_needs_them(void)
{
    struct Counter *first, *second, *third;
    AWAIT_REGISTERED(0);
    third = counter_open("/", 1);
    AWAIT_REGISTERED(0);
    first = counter_open("/", 0);
    AWAIT_REGISTERED(1);
    second = counter_open("/", 0);
    AWAIT_REGISTERED(1);
    counter_end(first);
    counter_round_trip(second);
    AWAIT_REGISTERED(1);
    counter_end(second);
    AWAIT_REGISTERED(0);
    counter_round_trip(third);
    counter_end(third);

    first = counter_open("/", 0);
    AWAIT_REGISTERED(1);
    counter_end(first);
    AWAIT_REGISTERED(0);
}

static void attempts_wait_until(enum StubNotice gone, enum StubNotice back)
{
    struct Counter *counter = counter_open("/drop", 0);
    AWAIT_REGISTERED(1);
    platform.tell(gone, STUB_FIRST_NETWORK);
    counter_drop(counter);
    others_connect_again();
    platform.tell(STUB_CAPABILITIES, STUB_FIRST_NETWORK);
    platform.tell(STUB_PROPERTIES, STUB_FIRST_NETWORK);
    others_connect_again();
    CHECK_INT(flag_count(&counter->prepared), 0);
    CHECK_INT(NWS_GetState(counter->client), NWS_CONNECTING);
    platform.tell(back, OTHER_NETWORK);
    CHECK(flag_await(&counter->opened, 2));
    counter_comes_back(counter);

    /* A waiting client does not delay its own end or the next client. */
    platform.tell(gone, OTHER_NETWORK);
    counter_drop(counter);
    counter_end(counter);
    AWAIT_REGISTERED(0);
    counter = counter_open("/drop", 0);
    counter_comes_back(counter);
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void attempts_wait_for_a_network(void)
{
    attempts_wait_until(STUB_LOST, STUB_AVAILABLE);
}

static void an_attempt_ends_when_no_network_comes_in_time(void)
{
    attempts_wait_until(STUB_UNAVAILABLE, STUB_AVAILABLE);
}

static void attempts_wait_while_the_network_is_blocked(void)
{
    attempts_wait_until(STUB_BLOCKED, STUB_UNBLOCKED);
}

static void a_server_on_this_device_needs_no_network(void)
{
    struct Counter *counter = counter_open_to(ws, "/drop", 0);
    AWAIT_REGISTERED(1);
    platform.tell(STUB_LOST, STUB_FIRST_NETWORK);
    counter_comes_back(counter);
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void retry_now_does_not_wait_for_a_network(void)
{
    struct Counter *counter = counter_open("/drop", 0);
    AWAIT_REGISTERED(1);
    platform.tell(STUB_LOST, STUB_FIRST_NETWORK);
    counter_drop(counter);
    CHECK_INT(NWS_RetryNow(counter->client), WEBSOCKET_OK);
    CHECK(flag_await(&counter->opened, 2));
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

/* Wi-Fi is lost after mobile data is available. */
static void losing_a_replaced_network_keeps_the_connection(void)
{
    struct Counter *counter = counter_open("/drop", 0);
    AWAIT_REGISTERED(1);
    platform.tell(STUB_AVAILABLE, OTHER_NETWORK);
    platform.tell(STUB_LOST, STUB_FIRST_NETWORK);
    counter_comes_back(counter);
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void pings_the_peer_after_a_network_change(void)
{
    struct Counter *counter = counter_open("/", 0);
    AWAIT_REGISTERED(1);
    counter_round_trip(counter);
    /* The first report about the current network is not a change. */
    CHECK_INT(flag_count(&counter->pinged), 0);
    platform.tell(STUB_AVAILABLE, OTHER_NETWORK);
    CHECK(flag_await(&counter->ponged, 1));
    counter_round_trip(counter);
    platform.tell(STUB_PROPERTIES, OTHER_NETWORK);
    CHECK(flag_await(&counter->ponged, 2));
    counter_round_trip(counter);
    /* Signal and speed change all the time. */
    platform.tell(STUB_CAPABILITIES, OTHER_NETWORK);
    counter_round_trip(counter);
    CHECK_INT(flag_count(&counter->pinged), 2);
    CHECK_INT(flag_count(&counter->opened), 1);
    CHECK_INT(flag_count(&counter->reconnecting), 0);
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void a_peer_that_does_not_answer_after_a_change_is_lost(void)
{
    struct Counter *counter = counter_open("/silent", 0);
    AWAIT_REGISTERED(1);
    platform.tell(STUB_AVAILABLE, OTHER_NETWORK);
    CHECK(flag_await(&counter->reconnecting, 1));
    CHECK_HAS(counter->message, "network");
    CHECK(flag_await(&counter->opened, 2));
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

/* The probe is out, and its time passes while the process stands still. */
static struct Counter *counter_probed_and_stopped(const char *path)
{
    struct Counter *counter = counter_open(path, 0);
    AWAIT_REGISTERED(1);
    platform.tell(STUB_AVAILABLE, OTHER_NETWORK);
    CHECK(flag_await(&counter->pinged, 1));
    stand_still(4000);
    return counter;
}

static void keeps_a_peer_that_answers_after_a_change_and_a_freeze(void)
{
    struct Counter *counter = counter_probed_and_stopped("/later/2000");
    CHECK(flag_await(&counter->ponged, 1));
    CHECK(flag_await(&counter->received, 1));
    counter_round_trip(counter);
    CHECK_INT(flag_count(&counter->reconnecting), 0);
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void loses_a_peer_that_does_not_answer_after_a_change_and_a_freeze(void)
{
    struct Counter *counter = counter_probed_and_stopped("/silent");
    CHECK(flag_await(&counter->reconnecting, 1));
    CHECK_HAS(counter->message, "3000 ms after the network changed");
    CHECK(flag_await(&counter->opened, 2));
    counter_end(counter);
    AWAIT_REGISTERED(0);
}

static void works_without_the_permission(void)
{
    struct Counter *counter;
    int registered = 0;
    int tries;
    platform.refuse(PERMISSION_DENIED);
    counter = counter_open("/drop", 0);
    counter_comes_back(counter);
    AWAIT_REGISTERED(0);
    platform.tell(STUB_LOST, STUB_FIRST_NETWORK);
    counter_comes_back(counter);
    counter_end(counter);
    platform.refuse(0);

    /* Which may be given later. What the host has instead is kept until the client before has ended. */
    for (tries = 0; tries < 200; tries++) {
        others_connect_again();
        counter = counter_open("/", 0);
        registered = platform.await(1, 0);
        counter_end(counter);
        if (registered == 1) {
            break;
        }
    }
    CHECK_INT(registered, 1);
    AWAIT_REGISTERED(0);
}

/* --- a platform that does not --- */

static void works_on_a_platform_without_network_events(void)
{
    struct Counter *counter = counter_open("/drop", 0);
    counter_comes_back(counter);
    counter_end(counter);
    counter = counter_open("/", 0);
    counter_round_trip(counter);
    counter_end(counter);
}

int main(int count, char **arguments)
{
    void *library = dlopen("libnet_connection.so", RTLD_NOW | RTLD_LOCAL);
    int deaf = count > 1 && strcmp(arguments[1], "deaf") == 0;
    check_begin("network", 120);
    ws = required("WS_URL");
    if (library != NULL) {
        /* ISO C knows no way from an object's pointer to a function's; POSIX does. */
        *(void **)&platform.tell = dlsym(library, "stub_tell");
        *(void **)&platform.refuse = dlsym(library, "stub_refuse");
        *(void **)&platform.await = dlsym(library, "stub_await");
    }
    if ((platform.tell == NULL) != deaf) {
        printf("%s\n", deaf ? "the platform tells" : "the stub of libnet_connection.so is not found");
        return 2;
    }
    if (deaf) {
        RUN(works_on_a_platform_without_network_events);
        return check_end();
    }
    RUN(listens_to_network_events_while_a_client_needs_them);
    RUN(attempts_wait_for_a_network);
    RUN(an_attempt_ends_when_no_network_comes_in_time);
    RUN(attempts_wait_while_the_network_is_blocked);
    RUN(a_server_on_this_device_needs_no_network);
    RUN(retry_now_does_not_wait_for_a_network);
    RUN(losing_a_replaced_network_keeps_the_connection);
    RUN(pings_the_peer_after_a_network_change);
    RUN(a_peer_that_does_not_answer_after_a_change_is_lost);
    RUN(keeps_a_peer_that_answers_after_a_change_and_a_freeze);
    RUN(loses_a_peer_that_does_not_answer_after_a_change_and_a_freeze);
    RUN(works_without_the_permission);
    return check_end();
}
