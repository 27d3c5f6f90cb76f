/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Long runs, for scripts/soak.sh: soak cycles COUNT | threads SECONDS | blocked CLIENTS
 */

#include "check.h"

#include <dirent.h>

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
    } else {
        printf("usage: soak cycles COUNT | threads SECONDS | blocked CLIENTS\n");
        return 2;
    }
    printf("%d passed, %d failed\n", check.failures == 0, check.failures != 0);
    return check.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
