/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Connects to each URL and sends text and binary messages of several sizes to an echo server. Compares the echoes, and prints
 * the times.
 *
 *     cc -I include tests/tools/echo_client.c -L DIRECTORY -lnet_websocket -lpthread -o echo_client
 *     ./echo_client wss://example.org/echo
 */

#define _POSIX_C_SOURCE 200809L

#include <network/netstack/net_websocket.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_DEADLINE_S 30

/* What the callbacks, on the library's threads, tell the main thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int is_open;
static int has_ended;
static char *received;
static size_t received_length;
static unsigned close_code;
static char text[512]; /* of the close reason or the error */

static void on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client;
    (void)result;
    pthread_mutex_lock(&lock);
    is_open = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* The data is gone when this returns, so it is copied. */
static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    char *copy = malloc((size_t)length + 1);
    (void)client;
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, length);
    pthread_mutex_lock(&lock);
    free(received);
    received = copy;
    received_length = length;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    pthread_mutex_lock(&lock);
    snprintf(text, sizeof text, "%s (error %u)", result.errorMessage, (unsigned)result.errorCode);
    /* After an open connection onClose follows. */
    has_ended = !is_open;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client;
    pthread_mutex_lock(&lock);
    close_code = result.code;
    if (result.reason[0] != '\0') {
        snprintf(text, sizeof text, "%s", result.reason);
    }
    has_ended = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

enum Wait { UNTIL_OPEN, UNTIL_MESSAGE, UNTIL_END };

/* False if the connection ended first, or nothing came in time. */
static int wait_for(enum Wait what)
{
    struct timespec until;
    int came = 0;
    int late = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ANSWER_DEADLINE_S;
    pthread_mutex_lock(&lock);
    for (;;) {
        came = what == UNTIL_OPEN ? is_open : what == UNTIL_MESSAGE ? received != NULL : has_ended;
        if (came || has_ended || late) {
            break;
        }
        late = pthread_cond_timedwait(&changed, &lock, &until) != 0;
    }
    if (late && !came) {
        snprintf(text, sizeof text, "no answer within %d s", ANSWER_DEADLINE_S);
    }
    pthread_mutex_unlock(&lock);
    return came;
}

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void fill(char *data, size_t length, int binary)
{
    size_t index;
    for (index = 0; index < length; index++) {
        /* Binary starts with a NUL, which no text message of this library holds. */
        data[index] = (char)(binary ? index % 251 : 'a' + index % 26);
    }
}

/* Takes the message that has come, and tells whether it is this one. */
static int take_and_compare(const char *data, size_t length)
{
    int same;
    pthread_mutex_lock(&lock);
    same = received_length == length && memcmp(received, data, length) == 0;
    free(received);
    received = NULL;
    pthread_mutex_unlock(&lock);
    return same;
}

/* Sends one message, and prints whether the same came back. */
static int round_trip(struct WebSocket *client, char *data, size_t length, int binary, int may_be_greeted)
{
    const char *kind = binary ? "binary" : "text";
    double started;
    double took;
    int came;
    int same = 0;
    int result;
    fill(data, length, binary);
    started = now_ms();
    result = OH_WebSocketClient_Send(client, data, length);
    if (result != WEBSOCKET_OK) {
        printf("  %-6s %8zu bytes  not sent: error %d\n", kind, length, result);
        return 0;
    }
    came = wait_for(UNTIL_MESSAGE);
    took = now_ms() - started;
    same = came && take_and_compare(data, length);
    if (came && !same && may_be_greeted) {
        /* Public echo servers like to introduce themselves. */
        printf("  (a message of the server's own came first)\n");
        came = wait_for(UNTIL_MESSAGE);
        took = now_ms() - started;
        same = came && take_and_compare(data, length);
    }
    if (!came) {
        printf("  %-6s %8zu bytes  did not come back: %s\n", kind, length, text);
        return 0;
    }
    printf("  %-6s %8zu bytes  %s in %8.2f ms\n", kind, length, same ? "same" : "CAME BACK CHANGED", took);
    return same;
}

static int talk_to(const char *url)
{
    static const size_t sizes[] = { 1, 1024, 64 * 1024, 1024 * 1024 };
    static char data[1024 * 1024];
    WebSocket_RequestOptions no_options = { NULL };
    WebSocket_CloseOption farewell = { 1000, "done" };
    struct WebSocket *client = OH_WebSocketClient_Constructor(on_open, on_message, on_error, on_close);
    double started = now_ms();
    size_t index;
    int right = 1;
    int result;

    printf("%s\n", url);
    is_open = has_ended = 0;
    close_code = 0;
    text[0] = '\0';
    if (client == NULL) {
        printf("  no memory for a client\n");
        return 0;
    }
    result = OH_WebSocketClient_Connect(client, url, no_options);
    if (result != WEBSOCKET_OK) {
        printf("  not connected: error %d\n", result);
        right = 0;
    } else if (!wait_for(UNTIL_OPEN)) {
        printf("  not connected: %s\n", text);
        right = 0;
    } else {
        printf("  connected                     in %8.2f ms\n", now_ms() - started);
        for (index = 0; right && index < sizeof sizes / sizeof *sizes; index++) {
            right = round_trip(client, data, sizes[index], 0, index == 0) &&
                    round_trip(client, data, sizes[index], 1, 0);
        }
        started = now_ms();
        OH_WebSocketClient_Close(client, farewell);
        if (!wait_for(UNTIL_END)) {
            printf("  not closed: %s\n", text);
            right = 0;
        } else {
            printf("  closed %u \"%s\"            in %8.2f ms\n", close_code, text, now_ms() - started);
            right = right && close_code == 1000;
        }
    }
    /* No callback runs any more once this has returned. */
    OH_WebSocketClient_Destroy(client);
    free(received);
    received = NULL;
    fflush(stdout);
    return right;
}

int main(int count, char **arguments)
{
    int failures = 0;
    int index;
    if (count < 2 || strcmp(arguments[1], "--help") == 0) {
        printf("Usage: %s URL...\n\nSends messages to WebSocket servers that echo, and compares what comes back.\n",
               arguments[0]);
        return count < 2 ? 2 : 0;
    }
    /* Nothing above waits for ever; this ends the program should the library. */
    alarm((unsigned)(count - 1) * 10 * ANSWER_DEADLINE_S);
    for (index = 1; index < count; index++) {
        failures += !talk_to(arguments[index]);
    }
    printf("%d of %d servers echoed everything\n", count - 1 - failures, count - 1);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
