/*
 * What the stand-in for libnet_connection.so has for tests alone, which look it up with dlsym.
 */
#ifndef NET_WEBSOCKET_STANDIN_NET_CONNECTION_H
#define NET_WEBSOCKET_STANDIN_NET_CONNECTION_H

#include <stdint.h>

enum StandinNotice {
    STANDIN_AVAILABLE,
    STANDIN_CAPABILITIES,
    STANDIN_PROPERTIES,
    STANDIN_LOST,
    STANDIN_UNAVAILABLE,
    STANDIN_BLOCKED,
    STANDIN_UNBLOCKED
};

/* The network that whoever registers is told of. */
enum { STANDIN_FIRST_NETWORK = 100 };

/* Tells all that are registered; returns when their callbacks have. */
void standin_tell(enum StandinNotice notice, int32_t network);

/* What registering gives from now on; 0 for success. */
void standin_refuse(int32_t status);

/* Waits until so many are registered; gives how many there are. */
int standin_await(int count, unsigned seconds);

#endif
