/*
 * What the stub of libnet_ssl.so has for tests alone, which look it up with dlsym.
 */
#ifndef NET_WEBSOCKET_STUB_NET_SSL_H
#define NET_WEBSOCKET_STUB_NET_SSL_H

/* How many lists of certificates were handed out and not given back. */
int stub_lent(void);

#endif
