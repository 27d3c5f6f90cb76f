/* To be preloaded: the process may not make TCP sockets, as an app without ohos.permission.INTERNET may not. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
    if ((domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
