/*
 * An echo server by libwebsockets on a free port of loopback, which it prints: one thread, and one lws_write a message, when
 * the connection is writable, as its documentation has it. See peers/src/echo.rs.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIVE_BYTES = 131072 };

/* One message is under way on each connection. */
struct session {
    unsigned char *frame;
    size_t length, room;
};

static void keep(struct session *session, const void *bytes, size_t length)
{
    if (session->length + length > session->room) {
        session->room = session->length + length;
        session->frame = (unsigned char *)realloc(session->frame, LWS_PRE + session->room);
        if (session->frame == NULL) {
            abort();
        }
    }
    memcpy(session->frame + LWS_PRE + session->length, bytes, length);
    session->length += length;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct session *session = (struct session *)user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        keep(session, in, length);
        if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
            lws_callback_on_writable(wsi);
        }
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (session->length > 0) {
            int written = lws_write(wsi, session->frame + LWS_PRE, session->length, LWS_WRITE_BINARY);
            if (written < (int)session->length) {
                return -1;
            }
            session->length = 0;
        }
        break;
    case LWS_CALLBACK_CLOSED:
        free(session->frame);
        session->frame = NULL;
        break;
    default:
        break;
    }
    return 0;
}

int main(void)
{
    static const struct lws_protocols protocols[] = {
        { "bench", callback, sizeof(struct session), RECEIVE_BYTES, 0, NULL, 0 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
    };
    struct lws_context_creation_info info;
    struct lws_context *context;
    struct lws_vhost *vhost;
    lws_set_log_level(LLL_ERR, NULL);
    memset(&info, 0, sizeof info);
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    context = lws_create_context(&info);
    info.port = 0;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    vhost = context == NULL ? NULL : lws_create_vhost(context, &info);
    if (vhost == NULL) {
        fprintf(stderr, "error: no server\n");
        return 1;
    }
    printf("%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (lws_service(context, 0) >= 0) {
    }
    return 0;
}
