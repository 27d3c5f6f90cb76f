/*
 * The library through its C API: a callback per message, and the main thread waits. In a round trip the next message
 * is sent from inside the callback; with the mode suffixed by "-thread" it is sent by the main thread, which the callback
 * wakes.
 */
#include <semaphore.h>
#include <errno.h>

#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>

#include "measure.h"

static struct arguments arguments;
static sem_t opened, done, closed;
static size_t left;
static uint32_t expected;
static char *payload;
static int64_t *samples, started;
static struct section section;
static size_t trips;

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        if (errno != EINTR) {
            die("sem_wait");
        }
    }
}

static void on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client, (void)result;
    sem_post(&opened);
}

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    die(result.errorMessage);
}

static void on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client, (void)result;
    sem_post(&closed);
}

static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data;
    if (length != expected) {
        die("a message of another length");
    }
    if (--left == 0) {
        sem_post(&done);
    }
}

static void send_this(struct WebSocket *client, char *message)
{
    int result;
    while ((result = OH_WebSocketClient_Send(client, message, arguments.size)) == WEBSOCKET_QUEUE_LENGTH_EXCEEDED) {
        usleep(200);
    }
    if (result != WEBSOCKET_OK) {
        die("not sent");
    }
}

static uint64_t buffered(struct WebSocket *client)
{
    uint64_t bytes = 0;
    NWS_GetBufferedAmount(client, &bytes);
    return bytes;
}

static void send_now(struct WebSocket *client)
{
    send_this(client, payload);
}

static void on_echo(struct WebSocket *client, char *data, uint32_t length)
{
    (void)data;
    int64_t now = wall_ns();
    if (length != arguments.size) {
        die("an echo of another length");
    }
    if (trips >= WARM_UP) {
        samples[trips - WARM_UP] = now - started;
    }
    trips++;
    if (trips == WARM_UP) {
        section = section_begin();
    }
    if (trips == arguments.count + WARM_UP) {
        sem_post(&done);
        return;
    }
    started = wall_ns();
    send_now(client);
}

static void on_echo_wake(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
    sem_post(&done);
}

static struct WebSocket *connect_to_server(WebSocket_OnMessageCallback callback)
{
    struct WebSocket *client = OH_WebSocketClient_Constructor(on_open, callback, on_error, on_close);
    WebSocket_RequestOptions options = { NULL };
    if (client == NULL || OH_WebSocketClient_Connect(client, arguments.url, options) != WEBSOCKET_OK) {
        die("not connected");
    }
    wait_for(&opened);
    return client;
}

int main(int argc, char **argv)
{
    arguments = parse_arguments(argc, argv);
    sem_init(&opened, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&closed, 0, 0);
    payload = make_payload(arguments.size);
    if (is_mode(&arguments, "receive")) {
        char go[] = "go";
        left = arguments.count;
        expected = (uint32_t)arguments.size;
        struct WebSocket *client = connect_to_server(on_message);
        section = section_begin();
        OH_WebSocketClient_Send(client, go, 2);
        wait_for(&done);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send") || is_mode(&arguments, "send-batch")) {
        /* There is no flush to choose: what is queued when the session looks goes out at once. */
        left = 1;
        expected = 4;
        struct WebSocket *client = connect_to_server(on_message);
        section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            send_now(client);
        }
        wait_for(&done);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send-text")) {
        char *texts = make_variety(arguments.size);
        left = 1;
        expected = 4;
        struct WebSocket *client = connect_to_server(on_message);
        size_t before, threads, after;
        resident(&before, &threads);
        section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            send_this(client, texts + i % VARIETY * arguments.size);
            /* Not to measure the queue's memory. */
            while (i % 64 == 0 && buffered(client) > 262144) {
                usleep(50);
            }
        }
        wait_for(&done);
        section_end(section, arguments.count);
        resident(&after, &threads);
        printf("grown_bytes=%zu ", after > before ? after - before : 0);
    } else if (is_mode(&arguments, "round-trip")) {
        samples = (int64_t *)calloc(arguments.count, sizeof *samples);
        struct WebSocket *client = connect_to_server(on_echo);
        started = wall_ns();
        send_now(client);
        wait_for(&done);
        section_end(section, arguments.count);
        print_round_trips(samples, arguments.count);
    } else if (is_mode(&arguments, "round-trip-thread")) {
        samples = (int64_t *)calloc(arguments.count, sizeof *samples);
        struct WebSocket *client = connect_to_server(on_echo_wake);
        for (size_t i = 0; i < arguments.count + WARM_UP; i++) {
            if (i == WARM_UP) {
                section = section_begin();
            }
            started = wall_ns();
            send_now(client);
            wait_for(&done);
            if (i >= WARM_UP) {
                samples[i - WARM_UP] = wall_ns() - started;
            }
        }
        section_end(section, arguments.count);
        print_round_trips(samples, arguments.count);
    } else if (is_mode(&arguments, "idle")) {
        size_t before, threads;
        resident(&before, &threads);
        for (size_t i = 0; i < arguments.count; i++) {
            connect_to_server(on_message);
        }
        print_idle(before, arguments.count);
    } else if (is_mode(&arguments, "exchange")) {
        char *texts = make_variety(arguments.size);
        size_t before, threads;
        expected = (uint32_t)arguments.size;
        resident(&before, &threads);
        for (size_t i = 0; i < arguments.count; i++) {
            struct WebSocket *client = connect_to_server(on_message);
            for (size_t sent = 0; sent < VARIETY; sent++) {
                left = 1;
                send_this(client, texts + sent * arguments.size);
                wait_for(&done);
            }
        }
        print_idle(before, arguments.count);
    } else if (is_mode(&arguments, "connect")) {
        section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            WebSocket_CloseOption option = { 1000, "" };
            struct WebSocket *client = connect_to_server(on_message);
            OH_WebSocketClient_Close(client, option);
            wait_for(&closed);
            OH_WebSocketClient_Destroy(client);
        }
        section_end(section, arguments.count);
    } else {
        die("unknown mode");
    }
    printf("\n");
    fflush(stdout);
    /* Without the closing handshakes of what is still open. */
    _exit(0);
}
