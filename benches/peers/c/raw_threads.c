/*
 * No client: bare system calls in the shape of the library. The caller waits for each event, and a worker with epoll does the work.
 * Nothing that the server sends is judged. In the mode connect, connections are opened and closed. In the mode send-call, a message
 * is echoed: the time is that of the call which wakes the worker to send it.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { OPEN = 1, CLOSE = 2, ECHO = 3, HEADER = 8 };

static struct sockaddr_in server;
static char request[512];
static int request_length;
static int epoll, orders, stream;
static sem_t done;
static char *frame;
static size_t frame_length, echo_length;

/* Registers a descriptor for edges. */
static void watch(int descriptor, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLET, .data.fd = descriptor };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        die("epoll_ctl");
    }
}

static void await(int descriptor)
{
    struct epoll_event events[4];
    for (;;) {
        int count = epoll_wait(epoll, events, 4, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == descriptor && (events[i].events & EPOLLIN) != 0) {
                return;
            }
        }
    }
}

static size_t receive(char *room, size_t length)
{
    for (;;) {
        ssize_t count = recv(stream, room, length, 0);
        if (count >= 0) {
            return (size_t)count;
        }
        if (errno != EAGAIN) {
            die("recv");
        }
        await(stream);
    }
}

static void open_stream(void)
{
    const int yes = 1;
    char head[2048];
    size_t filled = 0, count;
    stream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(stream, (const struct sockaddr *)&server, sizeof server) != 0 && errno != EINPROGRESS) {
        die("connect");
    }
    setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(stream, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    /* On loopback the connection exists at once. */
    if (send(stream, request, (size_t)request_length, MSG_NOSIGNAL) != request_length) {
        die("send");
    }
    do {
        count = receive(head + filled, sizeof head - filled);
        filled += count;
    } while (count > 0 && memmem(head, filled, "\r\n\r\n", 4) == NULL);
    if (count == 0) {
        die("no answer");
    }
}

static void close_stream(void)
{
    /* A masked close frame with the key 0 and the code 1000. */
    static const unsigned char frame[] = { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8 };
    char rest[64];
    if (send(stream, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame) {
        die("send");
    }
    while (receive(rest, sizeof rest) > 0) {
    }
    close(stream);
}

static void exchange(void)
{
    char room[2048];
    size_t count = 0;
    if (send(stream, frame, frame_length, MSG_NOSIGNAL) != (ssize_t)frame_length) {
        die("send");
    }
    while (count < echo_length) {
        count += receive(room, sizeof room);
    }
}

static void *work(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t order;
        await(orders);
        if (read(orders, &order, sizeof order) != sizeof order) {
            die("eventfd");
        }
        if (order == OPEN) {
            open_stream();
        } else if (order == ECHO) {
            exchange();
        } else {
            close_stream();
        }
        sem_post(&done);
    }
    return NULL;
}

/* Has the worker do something. */
static void call(uint64_t order)
{
    if (write(orders, &order, sizeof order) != sizeof order) {
        die("eventfd");
    }
}

/* Has the worker do something, and waits until it is done. */
static void command(uint64_t order)
{
    call(order);
    sem_wait(&done);
}

static void time_calls(const struct arguments *arguments)
{
    int64_t *samples = (int64_t *)calloc(arguments->count, sizeof *samples);
    struct section section = section_begin();
    /* A masked frame with the key 0. */
    size_t header = arguments->size < 126 ? 2 : 4;
    frame_length = header + 4 + arguments->size;
    echo_length = header + arguments->size;
    frame = (char *)calloc(1, HEADER + arguments->size);
    frame[0] = (char)0x82;
    frame[1] = (char)(0x80 | (header == 2 ? arguments->size : 126));
    if (header == 4) {
        frame[2] = (char)(arguments->size >> 8);
        frame[3] = (char)arguments->size;
    }
    command(OPEN);
    for (size_t i = 0; i < arguments->count + WARM_UP; i++) {
        if (i == WARM_UP) {
            section = section_begin();
        }
        int64_t started = wall_ns();
        call(ECHO);
        int64_t took = wall_ns() - started;
        sem_wait(&done);
        if (i >= WARM_UP) {
            samples[i - WARM_UP] = took;
        }
    }
    section_end(section, arguments->count);
    print_round_trips(samples, arguments->count);
}

int main(int argc, char **argv)
{
    struct arguments arguments = parse_arguments(argc, argv);
    unsigned port;
    char path[128];
    pthread_t worker;
    if (sscanf(arguments.url, "ws://127.0.0.1:%u%127s", &port, path) != 2 || arguments.size > UINT16_MAX) {
        die("only to 127.0.0.1, and no message of 64 KiB");
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)port);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request_length = snprintf(request, sizeof request,
                              "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                              path, port);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    orders = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    watch(orders, EPOLLIN);
    if (sem_init(&done, 0, 0) != 0 || pthread_create(&worker, NULL, work, NULL) != 0) {
        die("no thread");
    }
    if (is_mode(&arguments, "connect")) {
        struct section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            command(OPEN);
            command(CLOSE);
        }
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send-call")) {
        time_calls(&arguments);
    } else {
        die("only connect and send-call");
    }
    printf("\n");
    return 0;
}
