/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What tests/servers asks of a server through C: client URL [CA_FILE]. The URL is one that echoes, closes with 4001 at the text
 * `close`, and refuses /403. Each test's checks are those of an application, so nothing here depends on which server it is.
 */

#include "../ndk/check.h"

#include <network/netstack/net_websocket_ext.h>

static const char *url;
static const char *authorities;

static struct Probe *opened(const char *protocols)
{
    struct Probe *probe = probe_new();
    struct NWS_Options options;
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.supportOriginPort = 1;
    options.protocols = protocols;
    options.caPath = authorities;
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, url, ""), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    return probe;
}

/* Printable, so that it is text as well; alike, or from a generator. */
static char *payload(size_t size, int alike)
{
    char *bytes = (char *)malloc(size + 1);
    uint32_t state = 0x2545f491u;
    size_t at;
    for (at = 0; at < size; at++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = alike ? 'a' : (char)(32 + state % 95);
    }
    bytes[size] = '\0';
    return bytes;
}

static void echoes_28_messages(void)
{
    static const size_t sizes[] = { 0, 1, 125, 126, 65535, 65536, 1000000 };
    struct Probe *probe = opened(NULL);
    int sent = 0;
    size_t size;
    for (size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
        int form;
        for (form = 0; form < 4; form++) {
            char *data = payload(sizes[size], form & 1);
            const struct Event *back;
            CHECK_INT((form & 2) != 0 ? NWS_SendText(probe->client, data, sizes[size]) : NWS_SendBinary(probe->client, data, sizes[size]),
                      WEBSOCKET_OK);
            back = probe_await(probe, MESSAGE, sent++);
            CHECK_INT(back->length, sizes[size]);
            CHECK(back->length == sizes[size] && memcmp(back->text, data, sizes[size]) == 0);
            free(data);
        }
    }
    probe_finish(probe);
}

static void closes_with_a_code_and_a_reason(void)
{
    struct Probe *probe = opened(NULL);
    const struct Event *event;
    CHECK_INT(probe_close(probe, 4000, "done"), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    CHECK_INT(event->code, 4000);
    CHECK_TEXT(event->text, "done");
    CHECK_INT(probe_count(probe, ERROR), 0);
    probe_destroy(probe);
}

static void is_told_the_code_and_the_reason_of_the_server(void)
{
    struct Probe *probe = opened(NULL);
    const struct Event *event;
    CHECK_INT(NWS_SendText(probe->client, "close", 5), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    CHECK_INT(event->code, 4001);
    CHECK_TEXT(event->text, "bye");
    probe_destroy(probe);
}

static void agrees_on_a_sub_protocol(void)
{
    struct Probe *probe = opened("other, chat");
    char chosen[16];
    size_t length = sizeof chosen;
    CHECK_INT(NWS_GetProtocol(probe->client, chosen, &length), WEBSOCKET_OK);
    CHECK_TEXT(chosen, "chat");
    probe_finish(probe);
}

static void is_told_the_status_of_a_refusal(void)
{
    struct Probe *probe = probe_new();
    struct NWS_Options options;
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.caPath = authorities;
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, url, "403"), WEBSOCKET_OK);
    probe_await_end(probe);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, "HTTP 403");
    CHECK_INT(probe_count(probe, CLOSE), 0);
    probe_destroy(probe);
}

int main(int count, char **arguments)
{
    check_begin("servers", 60);
    if (count < 2) {
        printf("usage: client URL [CA_FILE]\n");
        return EXIT_FAILURE;
    }
    url = arguments[1];
    authorities = count > 2 ? arguments[2] : NULL;
    RUN(echoes_28_messages);
    RUN(closes_with_a_code_and_a_reason);
    RUN(is_told_the_code_and_the_reason_of_the_server);
    RUN(agrees_on_a_sub_protocol);
    RUN(is_told_the_status_of_a_refusal);
    return check_end();
}
