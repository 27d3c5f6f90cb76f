/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The thread rules of the contract. Any function can be called from any thread. A client has one callback at a time. A blocking
 * callback delays only its own client. Destroy waits for the running callback.
 */

#include "check.h"

#include <network/netstack/net_websocket_ext.h>
#include <sys/mman.h>

#define THREADS 8
#define ROUNDS 15
#define BLOCKED 64

static const char *ws;

/* --- clients come and go on many threads --- */

static void *lead_clients_through_their_lives(void *argument)
{
    int thread = *(int *)argument;
    int round;
    char text[64];
    for (round = 0; round < ROUNDS; round++) {
        struct Probe *probe = probe_new();
        /* Each client is destroyed at another stage of its life. */
        int stage = (thread + round) % 6;
        snprintf(text, sizeof text, "thread %d round %d", thread, round);
        if (stage > 0) {
            CHECK_INT(probe_send_text(probe, text), WEBSOCKET_OK);
            CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
        }
        if (stage > 1) {
            probe_await(probe, OPEN, 0);
        }
        if (stage > 2) {
            CHECK_TEXT(probe_await(probe, MESSAGE, 0)->text, text);
            probe_round_trip_text(probe, text);
        }
        if (stage > 3) {
            CHECK_INT(probe_close(probe, 1000, text), WEBSOCKET_OK);
        }
        if (stage > 4) {
            CHECK_TEXT(probe_await(probe, CLOSE, 0)->text, text);
            probe_await_end(probe);
        }
        CHECK_INT(probe_destroy(probe), stage == 0 ? WEBSOCKET_NO_CONNECTION_CONTEXT : WEBSOCKET_OK);
    }
    return NULL;
}

static void many_threads_make_use_and_destroy_clients(void)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    int index;
    for (index = 0; index < THREADS; index++) {
        numbers[index] = index;
        REQUIRE(pthread_create(&threads[index], NULL, lead_clients_through_their_lives, &numbers[index]) == 0);
    }
    for (index = 0; index < THREADS; index++) {
        pthread_join(threads[index], NULL);
    }
}

/* --- many threads share one client --- */

struct Sender {
    struct Probe *probe;
    int number;
};

static void *send_numbered(void *argument)
{
    struct Sender *sender = (struct Sender *)argument;
    char text[64];
    int index;
    for (index = 0; index < 200; index++) {
        snprintf(text, sizeof text, "%d %d", sender->number, index);
        CHECK_INT(probe_send_text(sender->probe, text), WEBSOCKET_OK);
    }
    return NULL;
}

static void many_threads_send_on_one_client_each_in_its_order(void)
{
    struct Probe *probe = probe_open(ws, "/");
    pthread_t threads[THREADS];
    struct Sender senders[THREADS];
    int next[THREADS] = { 0 };
    int index;
    for (index = 0; index < THREADS; index++) {
        senders[index].probe = probe;
        senders[index].number = index;
        REQUIRE(pthread_create(&threads[index], NULL, send_numbered, &senders[index]) == 0);
    }
    for (index = 0; index < THREADS; index++) {
        pthread_join(threads[index], NULL);
    }
    probe_await(probe, MESSAGE, THREADS * 200 - 1);
    probe_finish(probe);
    CHECK_INT(probe->counts[MESSAGE], THREADS * 200);
    for (index = 0; index < (int)probe->count; index++) {
        int thread = -1;
        int number = -1;
        if (probe->events[index]->kind == MESSAGE) {
            REQUIRE(sscanf(probe->events[index]->text, "%d %d", &thread, &number) == 2);
            REQUIRE(thread >= 0 && thread < THREADS);
            CHECK_INT(number, next[thread]);
            next[thread]++;
        }
    }
}

struct Attempt {
    struct WebSocket *client;
    int result;
};

static void *destroy_it(void *argument)
{
    struct Attempt *attempt = (struct Attempt *)argument;
    attempt->result = OH_WebSocketClient_Destroy(attempt->client);
    return NULL;
}

static void only_one_of_many_threads_destroys_a_client(void)
{
    struct Attempt attempts[THREADS];
    pthread_t threads[THREADS];
    int round;
    int index;
    for (round = 0; round < 10; round++) {
        struct Probe *probe = probe_open(ws, "/flood/100000/16");
        int destroyed = 0;
        for (index = 0; index < THREADS; index++) {
            attempts[index].client = probe->client;
            REQUIRE(pthread_create(&threads[index], NULL, destroy_it, &attempts[index]) == 0);
        }
        for (index = 0; index < THREADS; index++) {
            pthread_join(threads[index], NULL);
            destroyed += attempts[index].result == WEBSOCKET_OK;
            CHECK(attempts[index].result == WEBSOCKET_OK || attempts[index].result == WEBSOCKET_CLIENT_NOT_CREATED);
        }
        CHECK_INT(destroyed, 1);
        probe->destroyed = 1;
    }
}

/* --- blocked callbacks --- */

static struct Flag blocked;
static struct Flag released;

static void block(struct Probe *probe, const struct Event *event)
{
    (void)probe;
    if (event->kind == MESSAGE) {
        flag_raise(&blocked);
        CHECK(flag_await(&released, 1));
    }
}

static void blocked_callbacks_delay_no_other_client(void)
{
    static struct Probe *clients[BLOCKED];
    struct Probe *other = probe_open(ws, "/");
    struct Probe *late;
    int index;
    for (index = 0; index < BLOCKED; index++) {
        clients[index] = probe_new();
        clients[index]->hook = block;
        CHECK_INT(probe_send_text(clients[index], "first"), WEBSOCKET_OK);
        CHECK_INT(probe_send_text(clients[index], "second"), WEBSOCKET_OK);
        CHECK_INT(probe_connect(clients[index], ws, "/"), WEBSOCKET_OK);
    }
    CHECK(flag_await(&blocked, BLOCKED));
    for (index = 0; index < 100; index++) {
        probe_round_trip_text(other, "meanwhile");
    }
    late = probe_open(ws, "/");
    probe_round_trip_text(late, "made while all are blocked");
    probe_finish(late);
    probe_finish(other);
    for (index = 0; index < BLOCKED; index++) {
        CHECK_INT(probe_count(clients[index], MESSAGE), 1);
    }
    flag_raise(&released);
    for (index = 0; index < BLOCKED; index++) {
        CHECK_TEXT(probe_await(clients[index], MESSAGE, 1)->text, "second");
        probe_finish(clients[index]);
    }
}

static struct Flag received_later;

static void block_until_the_other_receives(struct Probe *probe, const struct Event *event)
{
    (void)probe;
    if (event->kind == MESSAGE) {
        CHECK(flag_await(&received_later, 1));
    }
}

static void tell_that_it_is_received(struct Probe *probe, const struct Event *event)
{
    (void)probe;
    if (event->kind == MESSAGE) {
        flag_raise(&received_later);
    }
}

/*
 * All is idle when the first message comes and its callback blocks. No call enters the library then, so it must notice the
 * other client's message by itself.
 */
static void blocked_callback_does_not_keep_others_from_receiving(void)
{
    struct Probe *blocking = probe_new();
    struct Probe *receiving = probe_new();
    blocking->hook = block_until_the_other_receives;
    receiving->hook = tell_that_it_is_received;
    CHECK_INT(probe_connect(receiving, ws, "/later/500"), WEBSOCKET_OK);
    CHECK_INT(probe_connect(blocking, ws, "/later/100"), WEBSOCKET_OK);
    CHECK(flag_await(&received_later, 1));
    probe_finish(receiving);
    probe_finish(blocking);
}

/* --- Destroy and a callback at once --- */

static struct Flag entered[EVENT_KINDS];
static struct Flag about_to_destroy[EVENT_KINDS];
static struct Flag left[EVENT_KINDS];
/* The event whose callback destroys the client. */
static enum EventKind destroyed_at;

static void work_until_destroy_waits(struct Probe *probe, const struct Event *event)
{
    struct Probe *other = (struct Probe *)probe->context;
    int index;
    if (event->kind != destroyed_at) {
        return;
    }
    flag_raise(&entered[destroyed_at]);
    CHECK(flag_await(&about_to_destroy[destroyed_at], 1));
    /* Long against the time from that flag to the wait inside Destroy. */
    for (index = 0; index < 50; index++) {
        probe_round_trip_text(other, "still at work");
    }
    flag_raise(&left[destroyed_at]);
}

static void destroy_from_another_thread_waits_for_the_callback(void)
{
    static const char *const paths[EVENT_KINDS] = { "/", "/flood/100/16", "/status/404", "/close/1000/bye" };
    int kind;
    for (kind = 0; kind < EVENT_KINDS; kind++) {
        struct Probe *other = probe_open(ws, "/");
        struct Probe *probe = probe_new();
        destroyed_at = (enum EventKind)kind;
        probe->hook = work_until_destroy_waits;
        probe->context = other;
        CHECK_INT(probe_connect(probe, ws, paths[kind]), WEBSOCKET_OK);
        REQUIRE(flag_await(&entered[kind], 1));
        flag_raise(&about_to_destroy[kind]);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
        CHECK_INT(flag_count(&left[kind]), 1);
        CHECK_INT(probe->counts[kind], 1);
        probe_finish(other);
    }
}

static struct Flag cleaned_up;

static void *destroy_the_other(void *argument)
{
    CHECK_INT(probe_destroy((struct Probe *)argument), WEBSOCKET_OK);
    flag_raise(&cleaned_up);
    return NULL;
}

static void destroy_other_client(struct Probe *probe, const struct Event *event)
{
    if (event->kind == OPEN) {
        destroy_the_other(probe->context);
    }
}

static void client_is_destroyed_in_a_callback_of_another(void)
{
    struct Probe *victim = probe_open(ws, "/");
    struct Probe *probe = probe_new();
    probe->hook = destroy_other_client;
    probe->context = victim;
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    CHECK(flag_await(&cleaned_up, 1));
    probe_round_trip_text(probe, "lives on");
    probe_finish(probe);
}

/* --- all functions inside callbacks --- */

static struct Flag inner_done;

static void lead_another_client(struct Probe *probe, const struct Event *event)
{
    if (event->kind == OPEN) {
        struct Probe *inner = probe_open(ws, "/");
        probe_round_trip_text(inner, "from inside a callback");
        probe_finish(inner);
        CHECK_INT(probe_send_text(probe, "from onOpen"), WEBSOCKET_OK);
    } else if (event->kind == MESSAGE) {
        CHECK_INT(probe_close(probe, 4000, "from onMessage"), WEBSOCKET_OK);
    } else {
        CHECK_INT(event->kind, CLOSE);
        CHECK_INT(event->code, 4000);
        CHECK_TEXT(event->text, "from onMessage");
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
        flag_raise(&inner_done);
    }
}

static void every_function_works_inside_callbacks(void)
{
    struct Probe *probe = probe_new();
    probe->hook = lead_another_client;
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    CHECK(flag_await(&inner_done, 1));
}

/* --- a call that takes long --- */

/* A page whose first reader waits until others have made their calls. */
static struct {
    char *page;
    size_t size;
    struct Flag read;
    struct Flag released;
    struct Flag destroyed;
} slow;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if ((char *)info->si_addr < slow.page || (char *)info->si_addr >= slow.page + slow.size) {
        signal(SIGSEGV, SIG_DFL);
        return;
    }
    flag_raise(&slow.read);
    CHECK(flag_await(&slow.released, 1));
    CHECK_INT(flag_count(&slow.destroyed), 0);
    mprotect(slow.page, slow.size, PROT_READ | PROT_WRITE);
}

static void *send_slowly(void *argument)
{
    CHECK_INT(NWS_SendBinary((struct WebSocket *)argument, slow.page, 32), WEBSOCKET_OK);
    return NULL;
}

static void *destroy_the_slow_one(void *argument)
{
    CHECK_INT(OH_WebSocketClient_Destroy((struct WebSocket *)argument), WEBSOCKET_NO_CONNECTION_CONTEXT);
    flag_raise(&slow.destroyed);
    return NULL;
}

static void a_long_call_delays_destroy_of_its_own_client_only(void)
{
    struct sigaction action;
    struct sigaction before;
    pthread_t sender;
    pthread_t destroyer;
    struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    struct WebSocket *other = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    struct WebSocket *late;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    REQUIRE(sigaction(SIGSEGV, &action, &before) == 0);
    slow.size = (size_t)sysconf(_SC_PAGESIZE);
    slow.page = (char *)mmap(NULL, slow.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(slow.page != MAP_FAILED);
    REQUIRE(pthread_create(&sender, NULL, send_slowly, client) == 0);
    REQUIRE(flag_await(&slow.read, 1));
    REQUIRE(pthread_create(&destroyer, NULL, destroy_the_slow_one, client) == 0);
    /* A client delayed by the message would be delayed until the deadline. */
    late = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_SendText(late, "x", 1), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(other, "x", 1), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_Destroy(late), WEBSOCKET_NO_CONNECTION_CONTEXT);
    CHECK_INT(OH_WebSocketClient_Destroy(other), WEBSOCKET_NO_CONNECTION_CONTEXT);
    CHECK_INT(NWS_SendText(other, "x", 1), WEBSOCKET_CLIENT_NOT_CREATED);
    flag_raise(&slow.released);
    pthread_join(sender, NULL);
    pthread_join(destroyer, NULL);
    CHECK_INT(NWS_SendText(client, "x", 1), WEBSOCKET_CLIENT_NOT_CREATED);
    sigaction(SIGSEGV, &before, NULL);
    munmap(slow.page, slow.size);
}

/* --- calls while their client is destroyed --- */

/* A fault here would be an access to freed memory or a data race, which scripts/sanitize.sh detects. */
#define CALLERS 4
#define DESTROYED 50

static struct Flag calling;

struct Caller {
    struct WebSocket *client;
    int number;
};

static void *call_until_it_is_gone(void *argument)
{
    const struct Caller *caller = (const struct Caller *)argument;
    struct WebSocket *client = caller->client;
    int32_t code;
    int calls;
    for (calls = 0;; calls++) {
        uint64_t bytes;
        if (caller->number == 0 && calls < 1000) {
            code = NWS_SendText(client, "x", 1);
        } else if (caller->number == 1) {
            code = NWS_SetUserData(client, NULL);
        } else {
            code = NWS_GetBufferedAmount(client, &bytes);
        }
        if (calls == 0) {
            flag_raise(&calling);
        }
        if (code != WEBSOCKET_OK) {
            break;
        }
    }
    CHECK_INT(code, WEBSOCKET_CLIENT_NOT_CREATED);
    return NULL;
}

static void a_client_is_destroyed_under_the_calls_of_many_threads(void)
{
    int round;
    for (round = 1; round <= DESTROYED; round++) {
        struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
        struct Caller callers[CALLERS];
        pthread_t threads[CALLERS];
        int at;
        for (at = 0; at < CALLERS; at++) {
            callers[at].client = client;
            callers[at].number = at;
            REQUIRE(pthread_create(&threads[at], NULL, call_until_it_is_gone, &callers[at]) == 0);
        }
        CHECK(flag_await(&calling, round * CALLERS));
        CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
        CHECK_INT(NWS_SetUserData(client, NULL), WEBSOCKET_CLIENT_NOT_CREATED);
        for (at = 0; at < CALLERS; at++) {
            pthread_join(threads[at], NULL);
        }
    }
}

int main(void)
{
    check_begin("threads", 600);
    ws = required("WS_URL");
    RUN(many_threads_make_use_and_destroy_clients);
    RUN(many_threads_send_on_one_client_each_in_its_order);
    RUN(only_one_of_many_threads_destroys_a_client);
    RUN(blocked_callbacks_delay_no_other_client);
    RUN(blocked_callback_does_not_keep_others_from_receiving);
    RUN(destroy_from_another_thread_waits_for_the_callback);
    RUN(client_is_destroyed_in_a_callback_of_another);
    RUN(every_function_works_inside_callbacks);
    RUN(a_long_call_delays_destroy_of_its_own_client_only);
    RUN(a_client_is_destroyed_under_the_calls_of_many_threads);
    return check_end();
}
