/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The library and its process: loading and unloading with dlopen, a process that ends with live connections, and a system
 * without the resources for the first connection. Not linked with the library. Each test runs in its own process.
 */

/* It loads the library itself. */
#define NET_WEBSOCKET_ANY_LIBRARY 1

#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <network/netstack/net_websocket_ext.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define CONNECTIONS 20

static struct {
    __typeof__(&OH_WebSocketClient_Constructor) constructor;
    __typeof__(&OH_WebSocketClient_Connect) connect;
    __typeof__(&OH_WebSocketClient_Send) send;
    __typeof__(&OH_WebSocketClient_Destroy) destroy;
    __typeof__(&NWS_LastErrorMessage) last_error;
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

/* Does not return while the process lives. Does not use pause(), which OpenHarmony forbids to 32-bit apps. */
static void on_message_block(struct WebSocket *client, char *data, uint32_t length)
{
    on_message(client, data, length);
    for (;;) {
        poll(NULL, 0, -1);
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
    *(void **)&library.last_error = dlsym(handle, "NWS_LastErrorMessage");
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

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client, (void)result;
    check_failed(__FILE__, __LINE__, "an event of an attempt that did not begin");
}

static void limit(int resource, rlim_t most)
{
    struct rlimit limits;
    CHECK_INT(getrlimit(resource, &limits), 0);
    limits.rlim_cur = most;
    CHECK_INT(setrlimit(resource, &limits), 0);
}

/* Connect fails while the limit holds, and says why. */
static void fails_to_connect_within(int resource, rlim_t most, const char *why)
{
    WebSocket_RequestOptions none = { NULL };
    struct WebSocket *client = library.constructor(on_open, on_message, on_error, NULL);
    struct rlimit before;
    int result;
    CHECK_INT(getrlimit(resource, &before), 0);
    limit(resource, most);
    result = library.connect(client, url, none);
    limit(resource, before.rlim_cur);
    CHECK_INT(result, WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(library.last_error(), "the system has no threads or descriptors left");
    CHECK_HAS(library.last_error(), why);
    CHECK_INT(library.destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

static int connects_after_a_shortage_of_descriptors(void)
{
    int more;
    load();
    /* The library's threads need three. */
    for (more = 0; more < 3; more++) {
        int next = fcntl(0, F_DUPFD, 0);
        CHECK(next >= 0);
        close(next);
        fails_to_connect_within(RLIMIT_NOFILE, (rlim_t)(next + more), "(os error 24)");
    }
    open_one(on_message);
    return 44;
}

static int connects_after_a_shortage_of_threads(void)
{
    /* Room for no thread, for one and for two: the library needs three. The C library may have kept the stack of the one. */
    static const rlim_t room[] = { 1 << 20, 3 << 20, 3 << 20 };
    unsigned at;
    load();
    for (at = 0; at < sizeof room / sizeof room[0]; at++) {
        unsigned long pages = 0;
        FILE *status = fopen("/proc/self/statm", "r");
        void *large;
        rlim_t most;
        CHECK(status != NULL && fscanf(status, "%lu", &pages) == 1);
        fclose(status);
        most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + room[at];
        limit(RLIMIT_AS, most);
        large = mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        limit(RLIMIT_AS, RLIM_INFINITY);
        if (large != MAP_FAILED) {
            puts("skip: a shortage of threads; this system does not bound the address space");
            fflush(stdout);
            break;
        }
        fails_to_connect_within(RLIMIT_AS, most, "os error");
    }
    open_one(on_message);
    return 45;
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

static void threads_still_run_after_the_library_is_unloaded(void)
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

static void recovers_from_a_shortage_of_descriptors(void)
{
    run_process(connects_after_a_shortage_of_descriptors, 44);
}

static void recovers_from_a_shortage_of_threads(void)
{
#ifdef __SANITIZE_THREAD__
    puts("skip: a shortage of threads; without address space ThreadSanitizer itself ends the process");
    (void)connects_after_a_shortage_of_threads;
#else
    run_process(connects_after_a_shortage_of_threads, 45);
#endif
}

int main(void)
{
    check_begin("lifecycle", 180);
    snprintf(url, sizeof url, "%s/", required("WS_URL"));
    RUN(threads_still_run_after_the_library_is_unloaded);
    RUN(a_process_ends_with_connections_alive);
    RUN(a_process_ends_while_it_connects);
    RUN(a_process_ends_from_another_thread);
    RUN(a_forked_process_is_refused_at_once);
    RUN(recovers_from_a_shortage_of_descriptors);
    RUN(recovers_from_a_shortage_of_threads);
    return check_end();
}
