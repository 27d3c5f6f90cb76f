/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A program that uses the six functions alone, which the platform's library of the same name has too. It tells which of the two
 * it was given.
 */

#include <dlfcn.h>
#include <network/netstack/net_websocket.h>
#include <stdio.h>

int main(void)
{
    int result = OH_WebSocketClient_Destroy(NULL);
    int is_ours = dlsym(RTLD_DEFAULT, "NWS_Version") != NULL;
    printf("ran with %s\n", is_ours ? "this library" : "another one");
    return result == WEBSOCKET_CLIENT_NULL ? 0 : 1;
}
