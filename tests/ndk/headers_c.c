/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The public headers in C: what they declare is what the platform's binary interface has. Compiled as C99 and C11.
 */

#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>
#include <network/netstack/net_websocket_type.h>
#include <stdio.h>

/* C99 has no static_assert: an array of negative size is an error in every version. */
#define SAME(name, actual, expected) typedef char name[(actual) == (expected) ? 1 : -1]
/* What differs with the length of a pointer: on 64 bits and on 32. */
#define LAYOUT(name, actual, bits64, bits32) SAME(name, actual, sizeof(void *) == 8 ? (bits64) : (bits32))

LAYOUT(close_result_size, sizeof(WebSocket_CloseResult), 16, 8);
SAME(close_result_code, offsetof(WebSocket_CloseResult, code), 0);
LAYOUT(close_result_reason, offsetof(struct WebSocket_CloseResult, reason), 8, 4);
LAYOUT(close_option_size, sizeof(WebSocket_CloseOption), 16, 8);
SAME(close_option_code, offsetof(WebSocket_CloseOption, code), 0);
LAYOUT(close_option_reason, offsetof(struct WebSocket_CloseOption, reason), 8, 4);
LAYOUT(open_result_size, sizeof(WebSocket_OpenResult), 16, 8);
SAME(open_result_code, offsetof(WebSocket_OpenResult, code), 0);
LAYOUT(open_result_reason, offsetof(struct WebSocket_OpenResult, reason), 8, 4);
LAYOUT(error_result_size, sizeof(WebSocket_ErrorResult), 16, 8);
SAME(error_result_code, offsetof(WebSocket_ErrorResult, errorCode), 0);
LAYOUT(error_result_message, offsetof(struct WebSocket_ErrorResult, errorMessage), 8, 4);
LAYOUT(header_size, sizeof(WebSocket_Header), 24, 12);
SAME(header_name, offsetof(WebSocket_Header, fieldName), 0);
LAYOUT(header_value, offsetof(WebSocket_Header, fieldValue), 8, 4);
LAYOUT(header_next, offsetof(struct WebSocket_Header, next), 16, 8);
LAYOUT(ext_options, sizeof(NWS_Options), 256, 184);
SAME(ext_options_protocols, offsetof(NWS_Options, protocols), 48);
LAYOUT(ext_options_deflate, offsetof(NWS_Options, perMessageDeflate), 89, 69);
LAYOUT(ext_options_threshold, offsetof(NWS_Options, deflateThreshold), 96, 76);
SAME(ext_pin, sizeof(struct NWS_CertificatePinning), 24);
LAYOUT(ext_header, sizeof(struct NWS_Header), 16, 8);
LAYOUT(ext_server_options, sizeof(NWS_ServerOptions), 152, 120);
LAYOUT(ext_server_options_addresses, offsetof(NWS_ServerOptions, maxAddresses), 96, 64);
LAYOUT(ext_server_options_port, offsetof(NWS_ServerOptions, port), 140, 108);
LAYOUT(ext_server_callbacks, sizeof(NWS_ServerCallbacks), 72, 36);
LAYOUT(ext_server_callbacks_stop, offsetof(NWS_ServerCallbacks, onStop), 64, 32);
LAYOUT(ext_server_request, sizeof(NWS_ServerRequest), 64, 40);
LAYOUT(ext_server_connection, sizeof(NWS_ServerConnection), 48, 24);
SAME(ext_server_statistics, sizeof(NWS_ServerStatistics), 80);
LAYOUT(ext_response, sizeof(NWS_Response), 40, 24);
LAYOUT(ext_message, sizeof(NWS_Message), 32, 20);
LAYOUT(ext_message_last, offsetof(NWS_Message, last), 29, 17);
LAYOUT(ext_pong, sizeof(NWS_Pong), 32, 24);
LAYOUT(ext_failure, sizeof(NWS_Failure), 96, 72);
LAYOUT(ext_failure_message, offsetof(NWS_Failure, message), 24, 16);
LAYOUT(ext_close, sizeof(NWS_Close), 56, 40);
LAYOUT(ext_reconnecting, sizeof(NWS_Reconnecting), 48, 40);
LAYOUT(ext_reconnecting_message, offsetof(NWS_Reconnecting, message), 32, 24);
LAYOUT(ext_reconnected, sizeof(NWS_Reconnected), 24, 16);
LAYOUT(ext_reconnect_options, sizeof(NWS_ReconnectOptions), 40, 32);
LAYOUT(ext_reconnect_options_at_once, offsetof(NWS_ReconnectOptions, atOnce), 32, 28);
LAYOUT(ext_callbacks, sizeof(NWS_Callbacks), 112, 56);
LAYOUT(ext_callbacks_close, offsetof(NWS_Callbacks, onClose), 64, 32);
SAME(ext_statistics, sizeof(NWS_Statistics), 184);
SAME(ext_frame, sizeof(NWS_Frame), 24);
SAME(ext_statistics_upgrade, offsetof(NWS_Statistics, upgradeUs), 152);
LAYOUT(options_size, sizeof(WebSocket_RequestOptions), 8, 4);
SAME(options_headers, offsetof(struct WebSocket_RequestOptions, headers), 0);
LAYOUT(client_size, sizeof(WebSocket), 40, 20);
SAME(client_on_open, offsetof(struct WebSocket, onOpen), 0);
LAYOUT(client_on_message, offsetof(struct WebSocket, onMessage), 8, 4);
LAYOUT(client_on_error, offsetof(struct WebSocket, onError), 16, 8);
LAYOUT(client_on_close, offsetof(struct WebSocket, onClose), 24, 12);
LAYOUT(client_options, offsetof(struct WebSocket, requestOptions), 32, 16);
SAME(code_size, sizeof(((WebSocket_CloseOption *)0)->code), 4);
SAME(error_code_size, sizeof(((WebSocket_ErrorResult *)0)->errorCode), 4);

/* The numbers above are for both; there is no third. */
SAME(pointer_size, sizeof(void *) == 8 || sizeof(void *) == 4, 1);

SAME(ok, WEBSOCKET_OK, 0);
SAME(base, E_BASE, 1000);
SAME(client_null, WEBSOCKET_CLIENT_NULL, 1001);
SAME(client_not_created, WEBSOCKET_CLIENT_NOT_CREATED, 1002);
SAME(connection_error, WEBSOCKET_CONNECTION_ERROR, 1003);
SAME(parse_url_error, WEBSOCKET_CONNECTION_PARSE_URL_ERROR, 1005);
SAME(connection_no_memory, WEBSOCKET_CONNECTION_NO_MEMORY, 1006);
SAME(closed_by_peer, WEBSOCKET_CONNECTION_CLOSED_BY_PEER, 1007);
SAME(destroyed, WEBSOCKET_DESTROYED, 1008);
SAME(protocol_error, WEBSOCKET_PROTOCOL_ERROR, 1009);
SAME(send_no_memory, WEBSOCKET_SEND_NO_MEMORY, 1010);
SAME(send_data_null, WEBSOCKET_SEND_DATA_NULL, 1011);
SAME(data_length_exceeded, WEBSOCKET_DATA_LENGTH_EXCEEDED, 1012);
SAME(queue_length_exceeded, WEBSOCKET_QUEUE_LENGTH_EXCEEDED, 1013);
SAME(no_client_context, WEBSOCKET_NO_CLIENT_CONTEXT, 1014);
SAME(no_header_context, WEBSOCKET_NO_HEADER_CONTEXT, 1015);
SAME(header_exceeded, WEBSOCKET_HEADER_EXCEEDED, 1016);
SAME(no_connection, WEBSOCKET_NO_CONNECTION, 1017);
SAME(no_connection_context, WEBSOCKET_NO_CONNECTION_CONTEXT, 1018);

/* An assignment compiles only if the types are the same; the linker resolves each name. */
static struct WebSocket *(*const constructor)(WebSocket_OnOpenCallback, WebSocket_OnMessageCallback,
                                              WebSocket_OnErrorCallback, WebSocket_OnCloseCallback) =
    OH_WebSocketClient_Constructor;
static int (*const add_header)(struct WebSocket *, struct WebSocket_Header) = OH_WebSocketClient_AddHeader;
static int (*const start)(struct WebSocket *, const char *, struct WebSocket_RequestOptions) =
    OH_WebSocketClient_Connect;
static int (*const transmit)(struct WebSocket *, char *, size_t) = OH_WebSocketClient_Send;
static int (*const finish)(struct WebSocket *, struct WebSocket_CloseOption) = OH_WebSocketClient_Close;
static int (*const release)(struct WebSocket *) = OH_WebSocketClient_Destroy;

static void on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client;
    (void)result.reason;
}

static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client;
    (void)data;
    (void)length;
}

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    (void)result.errorMessage;
}

static void on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client;
    (void)result.reason;
}

int main(void)
{
    WebSocket_Header second = { "b", "2", NULL };
    WebSocket_Header first = { "a", "1", &second };
    WebSocket_RequestOptions options = { &first };
    WebSocket_CloseOption farewell = { 1000, "" };
    WebSocket *client = constructor(on_open, on_message, on_error, on_close);
    int right = client != NULL && client->onOpen == on_open && client->onMessage == on_message &&
                client->onError == on_error && client->onClose == on_close &&
                client->requestOptions.headers == NULL && options.headers->next == &second &&
                add_header(NULL, first) == WEBSOCKET_CLIENT_NULL && start(NULL, "", options) == WEBSOCKET_CLIENT_NULL &&
                transmit(NULL, NULL, 0) == WEBSOCKET_CLIENT_NULL && finish(NULL, farewell) == WEBSOCKET_CLIENT_NULL &&
                release(client) == WEBSOCKET_NO_CONNECTION_CONTEXT;
    printf("%s headers_in_c\n%d passed, %d failed\n", right ? "ok" : "FAIL", right, !right);
    return right ? 0 : 1;
}
