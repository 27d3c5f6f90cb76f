/*
 * What the stub of libnet_connection.so has for tests alone, which look it up with dlsym.
 */
#ifndef NET_WEBSOCKET_STUB_NET_CONNECTION_H
#define NET_WEBSOCKET_STUB_NET_CONNECTION_H

#include <stdint.h>

enum StubNotice {
    STUB_AVAILABLE,
    STUB_CAPABILITIES,
    STUB_PROPERTIES,
    STUB_LOST,
    STUB_UNAVAILABLE,
    STUB_BLOCKED,
    STUB_UNBLOCKED
};

/* The network reported to a new listener. */
enum { STUB_FIRST_NETWORK = 100 };

/* Tells all that are registered; returns when their callbacks have. */
void stub_tell(enum StubNotice notice, int32_t network);

/* What registering gives from now on; 0 for success. */
void stub_refuse(int32_t status);

/* Waits until so many are registered; gives how many there are. */
int stub_await(int count, unsigned seconds);

#endif
