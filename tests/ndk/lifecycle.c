/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The library and its process: loaded and unloaded with dlopen, and a process that ends with connections alive. Not
 * linked with the library. Each test is a process of its own.
 */

#include "check.h"

#include <dlfcn.h>
#include <sys/wait.h>

#define CONNECTIONS 20

static struct {
    __typeof__(&OH_WebSocketClient_Constructor) constructor;
    __typeof__(&OH_WebSocketClient_Connect) connect;
    __typeof__(&OH_WebSocketClient_Send) send;
    __typeof__(&OH_WebSocketClient_Destroy) destroy;
} library;

static char url[URL_BYTES];
static struct Flag opened, received;

static void on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client, (void)result;
    flag_raise(&opened);
}

static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
    flag_raise(&received);
}

/* Does not return while the process lives. */
static void on_message_block(struct WebSocket *client, char *data, uint32_t length)
{
    on_message(client, data, length);
    for (;;) {
        pause();
    }
}

static void *load(void)
{
    void *handle = dlopen("libnet_websocket.so", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        printf("  %s\n", dlerror());
        exit(2);
    }
    /* ISO C knows no way from an object's pointer to a function's; POSIX does. */
    *(void **)&library.constructor = dlsym(handle, "OH_WebSocketClient_Constructor");
    *(void **)&library.connect = dlsym(handle, "OH_WebSocketClient_Connect");
    *(void **)&library.send = dlsym(handle, "OH_WebSocketClient_Send");
    *(void **)&library.destroy = dlsym(handle, "OH_WebSocketClient_Destroy");
    return handle;
}

static struct WebSocket *open_one(WebSocket_OnMessageCallback callback)
{
    static int count;
    WebSocket_RequestOptions none = { NULL };
    struct WebSocket *client = library.constructor(on_open, callback, NULL, NULL);
    char text[] = "hello";
    CHECK_INT(library.connect(client, url, none), WEBSOCKET_OK);
    CHECK_INT(flag_await(&opened, ++count), 1);
    CHECK_INT(library.send(client, text, 5), WEBSOCKET_OK);
    CHECK_INT(flag_await(&received, count), 1);
    return client;
}

/* --- bodies of processes: what they return is the exit status --- */

static int unloads_with_connections_alive(void)
{
    int round;
    for (round = 0; round < 5; round++) {
        void *handle = load();
        struct WebSocket *client = open_one(on_message);
        open_one(on_message);
        CHECK_INT(library.destroy(client), WEBSOCKET_OK);
        /* Its threads go on, so it must stay mapped. */
        CHECK_INT(dlclose(handle), 0);
    }
    return 40;
}

static int exits_with_connections_alive(void)
{
    int at;
    load();
    for (at = 0; at < CONNECTIONS; at++) {
        open_one(at % 4 == 0 ? on_message_block : on_message);
    }
    return 41;
}

static int exits_while_it_connects(void)
{
    int at;
    load();
    for (at = 0; at < CONNECTIONS; at++) {
        WebSocket_RequestOptions none = { NULL };
        struct WebSocket *client = library.constructor(on_open, on_message, NULL, NULL);
        CHECK_INT(library.connect(client, url, none), WEBSOCKET_OK);
        if (at % 2 == 0) {
            CHECK_INT(library.destroy(client), WEBSOCKET_OK);
        }
    }
    return 42;
}

static void *exit_now(void *status)
{
    exit(*(int *)status);
}

static int exits_from_another_thread(void)
{
    static int status = 43;
    pthread_t thread;
    load();
    open_one(on_message);
    if (pthread_create(&thread, NULL, exit_now, &status) == 0) {
        pthread_join(thread, NULL);
    }
    return 1;
}

/* In a forked process no thread of the library runs, and each of its locks may be locked for ever. */
static int is_refused_in_forked_processes(void)
{
    int round;
    char text[] = "hello";
    WebSocket_RequestOptions none = { NULL };
    struct WebSocket *client;
    load();
    client = open_one(on_message);
    for (round = 0; round < 20; round++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            _exit(library.constructor(on_open, on_message, NULL, NULL) == NULL &&
                          library.connect(client, url, none) == WEBSOCKET_CLIENT_NOT_CREATED &&
                          library.send(client, text, 5) == WEBSOCKET_CLIENT_NOT_CREATED &&
                          library.destroy(client) == WEBSOCKET_CLIENT_NOT_CREATED
                      ? 44
                      : 1);
        }
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 44);
        /* The connection is the parent's, and lives. */
        CHECK_INT(library.send(client, text, 5), WEBSOCKET_OK);
        CHECK_INT(flag_await(&received, round + 2), 1);
    }
    CHECK_INT(library.destroy(client), WEBSOCKET_OK);
    return 44;
}

/* --- the tests --- */

static void run_process(int (*body)(void), int expected)
{
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        int result;
        alarm(60);
        result = body();
        exit(check.failures == 0 ? result : 1);
    }
    REQUIRE(child > 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
        check_failed(__FILE__, __LINE__, "the process ended by signal %d", WTERMSIG(status));
    } else {
        CHECK_INT(WEXITSTATUS(status), expected);
    }
}

static void unloading_leaves_its_threads_what_they_need(void)
{
    run_process(unloads_with_connections_alive, 40);
}

static void a_process_ends_with_connections_alive(void)
{
    run_process(exits_with_connections_alive, 41);
}

static void a_process_ends_while_it_connects(void)
{
    run_process(exits_while_it_connects, 42);
}

static void a_process_ends_from_another_thread(void)
{
    run_process(exits_from_another_thread, 43);
}

static void a_forked_process_is_refused_at_once(void)
{
    run_process(is_refused_in_forked_processes, 44);
}

int main(void)
{
    check_begin("lifecycle", 180);
    snprintf(url, sizeof url, "%s/", required("WS_URL"));
    RUN(unloading_leaves_its_threads_what_they_need);
    RUN(a_process_ends_with_connections_alive);
    RUN(a_process_ends_while_it_connects);
    RUN(a_process_ends_from_another_thread);
    RUN(a_forked_process_is_refused_at_once);
    return check_end();
}
