/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The system runs out of a resource for some time while the library works. Attempts end soon with the cause, open connections
 * continue, and everything works again afterwards. Each test runs in its own process.
 */

#include "check.h"

#include <network/netstack/net_websocket_ext.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* An attempt may take that long by default, so one that ends before has not waited for its end. */
#define CONNECT_TIMEOUT_MS 15000
#define MIB (1 << 20)
/* More address space than the C library keeps in reserve. */
#define VERY_LONG_BYTES 150000000
/* Of the library: two workers and the one that watches callbacks; and this one. */
#define THREADS 4

static const char *ws;
static const char *wss;
static char by_name[URL_BYTES];

static struct rlimit limit(int resource, rlim_t most)
{
    struct rlimit before, now;
    CHECK_INT(getrlimit(resource, &before), 0);
    now = before;
    now.rlim_cur = most;
    CHECK_INT(setrlimit(resource, &now), 0);
    return before;
}

static void unlimit(int resource, const struct rlimit *before)
{
    CHECK_INT(setrlimit(resource, before), 0);
}

static rlim_t next_descriptor(void)
{
    int next = dup(0);
    CHECK(next >= 0);
    close(next);
    return (rlim_t)next;
}

/* What the process has of its address space, and so much more. */
static rlim_t address_space(rlim_t more)
{
    unsigned long pages = 0;
    FILE *status = fopen("/proc/self/statm", "r");
    CHECK(status != NULL && fscanf(status, "%lu", &pages) == 1);
    fclose(status);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
}

/* A sanitizer adds its own threads, and an allocator that ends the process without memory. */
#if defined(__SANITIZE_THREAD__)
enum { OTHER_THREADS = 1, OTHER_ALLOCATOR = 1 };
void __sanitizer_symbolize_pc(void *, const char *, char *, size_t);
#elif defined(__SANITIZE_ADDRESS__)
enum { OTHER_THREADS = 0, OTHER_ALLOCATOR = 1 };
#else
enum { OTHER_THREADS = 0, OTHER_ALLOCATOR = 0 };
#endif

/* An emulator's program has the address space of the emulator. */
static int bounds_address_space(void)
{
    struct rlimit before = limit(RLIMIT_AS, address_space(MIB));
    void *large = mmap(NULL, 64 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unlimit(RLIMIT_AS, &before);
    return large == MAP_FAILED;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* An attempt within the limit fails with the cause; the next one, without it, does not. `other` is open all the time. */
static void fails_within(int resource, rlim_t most, const char *url, const char *cause, struct Probe *other)
{
    struct Probe *probe = probe_new();
    long long began = now_ms();
    struct rlimit before = limit(resource, most);
    const struct Event *error;
    CHECK_INT(probe_connect(probe, url, "/"), WEBSOCKET_OK);
    error = probe_await(probe, ERROR, 0);
    probe_round_trip_text(other, "there");
    unlimit(resource, &before);
    CHECK_INT(error->code, WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(error->text, cause);
    CHECK(now_ms() - began < CONNECT_TIMEOUT_MS * 2 / 3);
    CHECK_INT(probe_connect(probe, url, "/"), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, OPEN, 0)->code, 101);
    probe_round_trip_text(probe, "again");
    probe_finish(probe);
}

/* --- bodies of processes --- */

static void without_descriptors_for_a_socket(void)
{
    struct Probe *other = probe_open(ws, "/");
    fails_within(RLIMIT_NOFILE, next_descriptor(), ws, "(os error 24)", other);
    probe_finish(other);
}

static void without_descriptors_for_a_lookup(void)
{
    struct Probe *other = probe_open(ws, "/");
    fails_within(RLIMIT_NOFILE, next_descriptor(), by_name, "name lookup", other);
    probe_finish(other);
}

/* One is left, for the connection; the trusted authorities are then read from files. */
static void without_descriptors_for_authorities(void)
{
    struct Probe *other = probe_open(ws, "/");
    char address[URL_BYTES];
    snprintf(address, sizeof address, "wss://127.0.0.1%s", strrchr(wss, ':'));
    fails_within(RLIMIT_NOFILE, next_descriptor() + 1, address, "(os error 24)", other);
    probe_finish(other);
}

static void without_threads(const char *url, const char *cause)
{
    struct timespec pause = { 0, 10000000 };
    struct Probe *other;
    if (OTHER_THREADS || !bounds_address_space()) {
        puts("skip: a shortage of threads; an emulator or ThreadSanitizer has threads of its own");
        return;
    }
    /* No limit holds for root. */
    if (getuid() == 0) {
        CHECK_INT(setgid(65534), 0);
        CHECK_INT(setuid(65534), 0);
    }
    other = probe_open(ws, "/");
    /* Those that come and go must be gone. */
    while (status_field("Threads") > THREADS) {
        nanosleep(&pause, NULL);
    }
    fails_within(RLIMIT_NPROC, 0, url, cause, other);
    probe_finish(other);
}

static void without_threads_for_a_lookup(void)
{
    without_threads(by_name, "os error 11");
}

static void without_threads_to_read_files(void)
{
    char address[URL_BYTES];
    snprintf(address, sizeof address, "wss://127.0.0.1%s", strrchr(wss, ':'));
    without_threads(address, "no thread left");
}

static void without_memory_for_a_message_that_comes(void)
{
    struct Probe *other, *probe;
    struct NWS_Options options;
    struct rlimit before;
    char path[32];
    if (OTHER_ALLOCATOR || !bounds_address_space()) {
        puts("skip: a shortage of memory; an emulator does not bound the address space, and a sanitizer ends the process");
        return;
    }
    other = probe_open(ws, "/");
    probe = probe_new();
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.maxMessageSize = 2 * VERY_LONG_BYTES;
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    snprintf(path, sizeof path, "/large/%d", VERY_LONG_BYTES);
    /* The memory of the message doubles as it grows: at 32 MiB there is a third left for all else. */
    before = limit(RLIMIT_AS, address_space(48 * MIB));
    CHECK_INT(probe_connect(probe, ws, path), WEBSOCKET_OK);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, "no memory");
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1009);
    probe_round_trip_text(other, "there");
    unlimit(RLIMIT_AS, &before);
    CHECK_INT(probe_connect(probe, ws, path), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, MESSAGE, 0)->length, VERY_LONG_BYTES);
    probe_finish(probe);
    probe_finish(other);
}

static void without_memory_for_a_message_that_goes(void)
{
    char *message = (char *)calloc(1, VERY_LONG_BYTES);
    struct Probe *probe;
    struct NWS_Options options;
    struct rlimit before;
    if (OTHER_ALLOCATOR || !bounds_address_space()) {
        puts("skip: a shortage of memory; an emulator does not bound the address space, and a sanitizer ends the process");
        return;
    }
    REQUIRE(message != NULL);
    probe = probe_new();
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.sendQueueLimit = 2 * VERY_LONG_BYTES;
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, ws, "/sink"), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, OPEN, 0)->code, 101);
    before = limit(RLIMIT_AS, address_space(16 * MIB));
    CHECK_INT(NWS_SendBinary(probe->client, message, VERY_LONG_BYTES), WEBSOCKET_SEND_NO_MEMORY);
    CHECK_HAS(NWS_LastErrorMessage(), "no memory");
    CHECK_INT(probe_send_text(probe, "short"), WEBSOCKET_OK);
    CHECK_TEXT(probe_await(probe, MESSAGE, 0)->text, "sunk 5");
    unlimit(RLIMIT_AS, &before);
    CHECK_INT(NWS_SendBinary(probe->client, message, VERY_LONG_BYTES), WEBSOCKET_OK);
    CHECK_TEXT(probe_await(probe, MESSAGE, 1)->text, "sunk 150000000");
    probe_finish(probe);
    free(message);
}

/* --- the tests --- */

static void run_process(void (*body)(void))
{
    int status = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(60);
#ifdef __SANITIZE_THREAD__
        /* Starts the program that finds names, which thread.supp needs: it would lack descriptors later. */
        char name[64];
        __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", name, sizeof name);
#endif
        body();
        fflush(stdout);
        _exit(check.failures == 0 ? 44 : 1);
    }
    REQUIRE(child > 0);
    REQUIRE(waitpid(child, &status, 0) == child);
    if (WIFSIGNALED(status)) {
        check_failed(__FILE__, __LINE__, "the process ended by signal %d", WTERMSIG(status));
    } else {
        CHECK_INT(WEXITSTATUS(status), 44);
    }
}

static void recovers_from_a_shortage_of_descriptors(void)
{
    run_process(without_descriptors_for_a_socket);
    run_process(without_descriptors_for_a_lookup);
}

static void recovers_from_a_shortage_of_descriptors_for_files(void)
{
    run_process(without_descriptors_for_authorities);
}

static void recovers_from_a_shortage_of_threads(void)
{
    run_process(without_threads_for_a_lookup);
    run_process(without_threads_to_read_files);
}

static void a_message_without_memory_for_it_ends_only_its_connection(void)
{
    run_process(without_memory_for_a_message_that_comes);
}

static void refuses_a_message_that_cannot_be_copied(void)
{
    run_process(without_memory_for_a_message_that_goes);
}

int main(void)
{
    check_begin("shortage", 240);
    ws = required("WS_URL");
    wss = required("WSS_URL");
    snprintf(by_name, sizeof by_name, "ws://localhost%s", strrchr(ws, ':'));
    RUN(recovers_from_a_shortage_of_descriptors);
    RUN(recovers_from_a_shortage_of_descriptors_for_files);
    RUN(recovers_from_a_shortage_of_threads);
    RUN(a_message_without_memory_for_it_ends_only_its_connection);
    RUN(refuses_a_message_that_cannot_be_copied);
    return check_end();
}
