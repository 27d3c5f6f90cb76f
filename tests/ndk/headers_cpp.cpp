/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The public headers in C++17, the type header on its own first. The layout is asserted in headers_c.c; here is what
 * differs in C++: linkage, names without `struct`, and value types that can be copied.
 */

#include <network/netstack/net_websocket_type.h>

static_assert(sizeof(WebSocket) == 5 * sizeof(void *), "the type header needs nothing before it");

#include <cstddef>
#include <cstdio>
#include <network/netstack/net_websocket.h>
#include <type_traits>

static_assert(std::is_standard_layout_v<WebSocket> && std::is_trivially_copyable_v<WebSocket>);
static_assert(std::is_standard_layout_v<WebSocket_Header> && std::is_trivially_copyable_v<WebSocket_Header>);
static_assert(offsetof(WebSocket, requestOptions) == 4 * sizeof(void *));
static_assert(std::is_same_v<decltype(WebSocket::onOpen), WebSocket_OnOpenCallback>);
static_assert(std::is_same_v<decltype(WebSocket::onMessage), WebSocket_OnMessageCallback>);
static_assert(std::is_same_v<decltype(WebSocket::onError), WebSocket_OnErrorCallback>);
static_assert(std::is_same_v<decltype(WebSocket::onClose), WebSocket_OnCloseCallback>);
static_assert(std::is_same_v<WebSocket_OnMessageCallback, void (*)(WebSocket *, char *, uint32_t)>);
static_assert(std::is_same_v<decltype(WebSocket_Header::next), WebSocket_Header *>);
static_assert(std::is_same_v<decltype(&OH_WebSocketClient_Destroy), int (*)(WebSocket *)>);
static_assert(WEBSOCKET_CLIENT_NULL == 1001 && WEBSOCKET_NO_CONNECTION_CONTEXT == 1018);

int main()
{
    WebSocket *client = OH_WebSocketClient_Constructor(nullptr, nullptr, nullptr, nullptr);
    const bool right = client != nullptr && OH_WebSocketClient_AddHeader(client, {"a", "1", nullptr}) == WEBSOCKET_OK &&
                       OH_WebSocketClient_Send(client, nullptr, 0) == WEBSOCKET_SEND_DATA_NULL &&
                       OH_WebSocketClient_Close(client, {}) == WEBSOCKET_NO_CONNECTION &&
                       OH_WebSocketClient_Connect(client, nullptr, {}) == WEBSOCKET_CONNECTION_PARSE_URL_ERROR &&
                       OH_WebSocketClient_Destroy(client) == WEBSOCKET_NO_CONNECTION_CONTEXT;
    std::printf("%s headers_in_cpp\n%d passed, %d failed\n", right ? "ok" : "FAIL", right, !right);
    return right ? 0 : 1;
}
