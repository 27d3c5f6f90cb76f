/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Long runs, for scripts/soak.sh: soak cycles COUNT | threads SECONDS | blocked CLIENTS | idle CLIENTS
 */

#include "check.h"

#include <dirent.h>
#include <network/netstack/net_websocket_ext.h>

static const char *ws;
static char url[URL_BYTES];

/* --- what the process has --- */

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return -1;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* --- clients without a record of their events --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int echoed, ended;

static void count(int *counter)
{
    pthread_mutex_lock(&mutex);
    ++*counter;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

static void await(const int *counter, int value)
{
    pthread_mutex_lock(&mutex);
    while (*counter < value) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
}

static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
    count(&echoed);
}

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    check_failed(__FILE__, __LINE__, "%s", result.errorMessage);
    printf("1 failed\n");
    _exit(1);
}

static void on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client, (void)result;
    count(&ended);
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Connect, echo, close, destroy: memory must be flat after the first tenth. */
static void cycles(int total)
{
    long at_tenth = 0, grown;
    int fds = 0, cycle;
    char text[] = "a message";
    WebSocket_CloseOption close = { 1000, "done" };
    WebSocket_RequestOptions none = { NULL };
    for (cycle = 0; cycle < total; cycle++) {
        struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, on_message, on_error, on_close);
        OH_WebSocketClient_AddHeader(client, (struct WebSocket_Header){ "x-cycle", "soak", NULL });
        CHECK_INT(OH_WebSocketClient_Connect(client, url, cycle % 2 == 0 ? none : client->requestOptions), WEBSOCKET_OK);
        CHECK_INT(OH_WebSocketClient_Send(client, text, sizeof text - 1), WEBSOCKET_OK);
        await(&echoed, cycle + 1);
        if (cycle % 3 == 0) {
            /* Destroyed while open: it closes in the background. */
            count(&ended);
        } else {
            CHECK_INT(OH_WebSocketClient_Close(client, close), WEBSOCKET_OK);
        }
        await(&ended, cycle + 1);
        CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_OK);
        if (cycle + 1 == total / 10) {
            at_tenth = status_field("VmRSS");
            fds = descriptors();
        }
        if ((cycle + 1) % (total / 10) == 0) {
            printf("  %d cycles: %ld kB, %ld threads, %d descriptors\n", cycle + 1, status_field("VmRSS"),
                   status_field("Threads"), descriptors());
            fflush(stdout);
        }
    }
    grown = status_field("VmRSS") - at_tenth;
    printf("  grown by %ld kB since cycle %d\n", grown, total / 10);
    /* Fewer say nothing, and under valgrind its own memory grows. */
    CHECK(total < 10000 || grown < 1024);
    CHECK(status_field("Threads") <= 5);
    /* Those of clients that close in the background come and go. */
    CHECK(descriptors() <= fds + 16);
}

/* Eight threads make, use and destroy clients. */
static int64_t until;
static int lives;

static void *live(void *argument)
{
    int thread = *(int *)argument, round, result;
    char text[] = "from a thread";
    WebSocket_CloseOption close = { 1000, NULL };
    WebSocket_RequestOptions none = { NULL };
    for (round = 0; now_ns() < until; round++) {
        struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, on_message, NULL, NULL);
        int stage = (thread + round) % 5;
        if (stage > 0) {
            CHECK_INT(OH_WebSocketClient_Connect(client, url, none), WEBSOCKET_OK);
        }
        if (stage > 1) {
            int before;
            pthread_mutex_lock(&mutex);
            before = echoed;
            pthread_mutex_unlock(&mutex);
            CHECK_INT(OH_WebSocketClient_Send(client, text, sizeof text - 1), WEBSOCKET_OK);
            if (stage > 2) {
                /* Some client's echo; perhaps this one's. */
                await(&echoed, before + 1);
            }
        }
        if (stage > 3) {
            OH_WebSocketClient_Close(client, close);
        }
        /* A Close may have come before the connection was open; then there is nothing to end. */
        result = OH_WebSocketClient_Destroy(client);
        CHECK(result == WEBSOCKET_NO_CONNECTION_CONTEXT ? stage == 0 || stage == 4 : result == WEBSOCKET_OK && stage > 0);
        count(&lives);
    }
    return NULL;
}

static void threads(int seconds)
{
    pthread_t ids[8];
    int numbers[8], at;
    until = now_ns() + (int64_t)seconds * 1000000000;
    for (at = 0; at < 8; at++) {
        numbers[at] = at;
        REQUIRE(pthread_create(&ids[at], NULL, live, &numbers[at]) == 0);
    }
    for (at = 0; at < 8; at++) {
        pthread_join(ids[at], NULL);
    }
    printf("  %d clients lived and died in %d s; %ld kB, %ld threads\n", lives, seconds, status_field("VmRSS"),
           status_field("Threads"));
}

/* Clients blocked in their callbacks, and the round trips of another. */
#define TRIPS 5000

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int blocked;

static void on_message_block(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
    count(&blocked);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static int compare(const void *left, const void *right)
{
    int64_t l = *(const int64_t *)left, r = *(const int64_t *)right;
    return (l > r) - (l < r);
}

static void blocked_clients(int clients)
{
    static int64_t times[TRIPS];
    WebSocket_RequestOptions none = { NULL };
    struct WebSocket **others = (struct WebSocket **)calloc((size_t)clients, sizeof *others);
    struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, on_message, on_error, NULL);
    char text[] = "x";
    int at;
    pthread_mutex_lock(&gate);
    for (at = 0; at < clients; at++) {
        others[at] = OH_WebSocketClient_Constructor(NULL, on_message_block, on_error, NULL);
        OH_WebSocketClient_Send(others[at], text, 1);
        CHECK_INT(OH_WebSocketClient_Connect(others[at], url, none), WEBSOCKET_OK);
    }
    await(&blocked, clients);
    CHECK_INT(OH_WebSocketClient_Connect(client, url, none), WEBSOCKET_OK);
    for (at = 0; at < TRIPS; at++) {
        int64_t start = now_ns();
        OH_WebSocketClient_Send(client, text, 1);
        await(&echoed, at + 1);
        times[at] = now_ns() - start;
    }
    qsort(times, TRIPS, sizeof *times, compare);
    printf("  with %d clients blocked: round trip p50 %.3f ms, p99 %.3f ms, longest %.3f ms; %ld threads\n", clients,
           (double)times[TRIPS / 2] / 1e6, (double)times[TRIPS * 99 / 100] / 1e6, (double)times[TRIPS - 1] / 1e6,
           status_field("Threads"));
    CHECK(times[TRIPS * 99 / 100] < 5000000);
    pthread_mutex_unlock(&gate);
    for (at = 0; at < clients; at++) {
        CHECK_INT(OH_WebSocketClient_Destroy(others[at]), WEBSOCKET_OK);
    }
    CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_OK);
    free(others);
}

/* --- idle clients of a server --- */

/* What an idle connection may take of the server's process. The kernel's part of it is not counted there. */
#define IDLE_BYTES_MAX 4096

static int opened, over;

static void on_server_open(struct NWS_Server *server, void *data, uint64_t connection,
                           const struct NWS_ServerConnection *info)
{
    (void)server, (void)data, (void)connection, (void)info;
    count(&opened);
}

static void on_server_close(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Close *close)
{
    (void)server, (void)data, (void)connection, (void)close;
    count(&over);
}

/* A process that reads a port, opens `clients` connections to it, and keeps them until its input ends. */
static void hold_clients(int ports, int clients)
{
    static const char request[] =
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in address;
    uint16_t port;
    char byte;
    int at;
    if (read(ports, &port, sizeof port) != sizeof port) {
        _exit(1);
    }
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (at = 0; at < clients; at++) {
        int peer = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(peer, (struct sockaddr *)&address, sizeof address) != 0 ||
            send(peer, request, sizeof request - 1, 0) != (ssize_t)sizeof request - 1 || recv(peer, &byte, 1, 0) != 1) {
            _exit(1);
        }
    }
    _exit(read(ports, &byte, 1) == 0 ? 0 : 1);
}

static void idle_clients(int clients)
{
    struct NWS_ServerCallbacks callbacks;
    struct NWS_ServerOptions options;
    struct NWS_Server *server;
    int ends[2], status = 0, before;
    uint16_t port = 0;
    long empty, full, each;
    pid_t other;
    CHECK_INT(pipe(ends), 0);
    before = descriptors();
    other = fork();
    if (other == 0) {
        close(ends[1]);
        hold_clients(ends[0], clients);
    }
    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    callbacks.onOpen = on_server_open;
    callbacks.onClose = on_server_close;
    NWS_InitServerOptions(&options, sizeof options);
    options.address = "127.0.0.1";
    options.maxConnectionsPerAddress = (uint32_t)clients;
    server = NWS_ServerCreate(&callbacks);
    CHECK_INT(NWS_ServerStart(server, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_ServerGetAddress(server, 0, NULL, NULL, &port), WEBSOCKET_OK);
    empty = status_field("VmRSS");
    CHECK(write(ends[1], &port, sizeof port) == sizeof port);
    await(&opened, clients);
    full = status_field("VmRSS");
    each = (full - empty) * 1024 / clients;
    printf("  %d idle clients: %ld kB to %ld kB, %ld bytes each\n", clients, empty, full, each);
    CHECK(each <= IDLE_BYTES_MAX);
    close(ends[1]);
    CHECK_INT(waitpid(other, &status, 0), other);
    CHECK_INT(status, 0);
    await(&over, clients);
    CHECK_INT(NWS_ServerDestroy(server), WEBSOCKET_OK);
    printf("  all gone: %ld kB, %d descriptors more than before\n", status_field("VmRSS"), descriptors() - before);
}

int main(int argc, char **argv)
{
    int number = argc == 3 ? atoi(argv[2]) : 0;
    check_begin("soak", 3600);
    ws = required("WS_URL");
    snprintf(url, sizeof url, "%s/", ws);
    check.test = argc > 1 ? argv[1] : "usage";
    if (argc == 3 && number > 9 && strcmp(argv[1], "cycles") == 0) {
        cycles(number);
    } else if (argc == 3 && number > 0 && strcmp(argv[1], "threads") == 0) {
        threads(number);
    } else if (argc == 3 && number > 0 && strcmp(argv[1], "blocked") == 0) {
        blocked_clients(number);
    } else if (argc == 3 && number > 0 && strcmp(argv[1], "idle") == 0) {
        idle_clients(number);
    } else {
        printf("usage: soak cycles COUNT | threads SECONDS | blocked CLIENTS | idle CLIENTS\n");
        return 2;
    }
    printf("%d passed, %d failed\n", check.failures == 0, check.failures != 0);
    return check.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
