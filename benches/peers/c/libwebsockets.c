/*
 * libwebsockets: one context for all connections, one lws_write per message, as its documentation has it; it has no batches. With
 * CONTEXT_EACH in the environment, each idle connection has its own context and thread, as in libraries that hide the event loop.
 */
#include <pthread.h>
#include <libwebsockets.h>

#include "measure.h"

enum { RECEIVE_BYTES = 65536 };

static struct arguments arguments;
static struct lws_context *context;
static char host[64], path[256];
static int port;
static struct section section;
static int64_t *samples, started;
static size_t opened, closed, left, to_send, trips, message;
static unsigned char *frame;
static int finished, timing, secure;

static void open_one_in(struct lws_context *own)
{
    struct lws_client_connect_info info = { 0 };
    info.context = own;
    info.address = host;
    info.port = port;
    info.path = path;
    info.host = host;
    info.origin = host;
    info.protocol = NULL;
    info.local_protocol_name = "bench";
    /* The certificate names the address, which this version does not look for. */
    info.ssl_connection = secure ? LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0;
    if (lws_client_connect_via_info(&info) == NULL) {
        die("not connected");
    }
}

static void open_one(void)
{
    open_one_in(context);
}

static void write_message(struct lws *wsi, size_t size)
{
    if (lws_write(wsi, frame + LWS_PRE, size, LWS_WRITE_BINARY) < (int)size) {
        die("not written");
    }
}

/* The payload is masked in place: a fresh copy for each message, as an application would have it. */
static void write_payload(struct lws *wsi, const char *payload)
{
    memcpy(frame + LWS_PRE, payload, arguments.size);
    write_message(wsi, arguments.size);
}

static void received(struct lws *wsi, size_t size)
{
    if (is_mode(&arguments, "receive")) {
        if (size != arguments.size) {
            die("a message of another length");
        }
        finished = --left == 0;
    } else if (is_mode(&arguments, "send")) {
        finished = 1;
    } else if (is_mode(&arguments, "round-trip")) {
        if (trips >= WARM_UP) {
            samples[trips - WARM_UP] = wall_ns() - started;
        }
        trips++;
        if (trips == WARM_UP) {
            section = section_begin();
        }
        finished = trips == arguments.count + WARM_UP;
        if (!finished) {
            lws_callback_on_writable(wsi);
        }
    }
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    static const char *payload;
    (void)user;
    if (payload == NULL) {
        payload = make_payload(arguments.size + 1);
    }
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        die(in != NULL ? (const char *)in : "connection error");
        break;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        opened++;
        if (!is_mode(&arguments, "idle")) {
            if (!timing && !is_mode(&arguments, "connect")) {
                timing = 1;
                section = section_begin();
            }
            lws_callback_on_writable(wsi);
        } else if (context != NULL && opened < arguments.count) {
            open_one();
        } else {
            finished = 1;
        }
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (is_mode(&arguments, "connect")) {
            lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
            return -1;
        }
        if (is_mode(&arguments, "receive")) {
            memcpy(frame + LWS_PRE, "go", 2);
            write_message(wsi, 2);
        } else if (is_mode(&arguments, "send") && to_send > 0) {
            write_payload(wsi, payload);
            if (--to_send > 0) {
                lws_callback_on_writable(wsi);
            }
        } else if (is_mode(&arguments, "round-trip")) {
            started = wall_ns();
            write_payload(wsi, payload);
        }
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        (void)in;
        message += length;
        if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
            received(wsi, message);
            message = 0;
        }
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
        closed++;
        if (!is_mode(&arguments, "connect")) {
            die("closed");
        } else if (closed == arguments.count) {
            finished = 1;
        } else {
            open_one();
        }
        break;
    default:
        break;
    }
    return 0;
}

static void *serve(void *own)
{
    while (lws_service((struct lws_context *)own, 0) >= 0) {
    }
    return NULL;
}

static void idle_in_contexts(const struct lws_context_creation_info *info)
{
    size_t before = 0, threads = 0;
    resident(&before, &threads);
    for (size_t i = 0; i < arguments.count; i++) {
        struct lws_context_creation_info copy = *info;
        struct lws_context *own = lws_create_context(&copy);
        pthread_t thread;
        if (own == NULL) {
            die("no context");
        }
        open_one_in(own);
        while (__atomic_load_n(&opened, __ATOMIC_RELAXED) <= i) {
            lws_service(own, 0);
        }
        if (pthread_create(&thread, NULL, serve, own) != 0) {
            die("no thread");
        }
    }
    print_idle(before, arguments.count);
    printf("\n");
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = {
        { "bench", callback, 0, RECEIVE_BYTES, 0, NULL, 0 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
    };
    arguments = parse_arguments(argc, argv);
    secure = strncmp(arguments.url, "wss:", 4) == 0;
    if (sscanf(arguments.url + 5 + secure, "%63[^:]:%d%255s", host, &port, path) != 3) {
        die("usage: the URL is ws://ADDRESS:PORT/PATH or wss://ADDRESS:PORT/PATH");
    }
    if (!is_mode(&arguments, "receive") && !is_mode(&arguments, "send") && !is_mode(&arguments, "round-trip") &&
        !is_mode(&arguments, "idle") && !is_mode(&arguments, "connect")) {
        die("unknown mode");
    }
    left = to_send = arguments.count;
    samples = (int64_t *)calloc(arguments.count, sizeof *samples);
    frame = (unsigned char *)malloc(LWS_PRE + arguments.size + 16);

    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context_creation_info info = { 0 };
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.gid = info.uid = (gid_t)-1;
    if (secure) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = getenv("SSL_CERT_FILE");
    }
    if (getenv("CONTEXT_EACH") != NULL) {
        idle_in_contexts(&info);
    }
    context = lws_create_context(&info);
    if (context == NULL || samples == NULL || frame == NULL) {
        die("no context");
    }
    size_t before = 0, threads = 0;
    resident(&before, &threads);
    if (is_mode(&arguments, "connect")) {
        section = section_begin();
    }
    open_one();
    while (!finished && lws_service(context, 0) >= 0) {
    }
    if (is_mode(&arguments, "idle")) {
        print_idle(before, arguments.count);
    } else {
        section_end(section, arguments.count);
        if (is_mode(&arguments, "round-trip")) {
            print_round_trips(samples, arguments.count);
        }
    }
    printf("\n");
    fflush(stdout);
    _exit(0);
}
