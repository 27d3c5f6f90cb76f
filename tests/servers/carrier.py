"""A mobile carrier between two network namespaces: every packet is held for half of the round trip, and behind those before it.

    carrier.py NAMESPACE_PROCESS DELAY_MS BITS_PER_SECOND

It makes the interface `phone` (10.202.0.1) in its own namespace and `far` (10.202.0.2) in that of the process, prints READY,
and ends with its standard input. The kernel's counters of `phone` are what a carrier would count. Linux has netem for this, but
not every kernel is built with it.
"""

import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
MTU = 1400  # what is left of 1500 in the tunnels of a mobile network
LONGEST_WAIT_S = 2  # a packet that would have to wait longer is dropped


def interface(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def run(*command):
    subprocess.run(command, check=True)


def main(process, delay_ms, rate):
    inside = ("nsenter", "--net", "--target", process)
    phone, far = interface("phone"), interface("far")
    run("ip", "link", "set", "far", "netns", process)
    # Without IPv6, of which a kernel has announcements to make.
    for prefix, name in (((), "phone"), (inside, "far")):
        run(*prefix, "ip", "link", "set", name, "addrgenmode", "none")
    for prefix, name, own, peer in (((), "phone", "10.202.0.1", "10.202.0.2"), (inside, "far", "10.202.0.2", "10.202.0.1")):
        run(*prefix, "ip", "address", "add", own, "peer", peer, "dev", name)
        run(*prefix, "ip", "link", "set", name, "mtu", str(MTU), "up")
    print("READY", flush=True)

    delay, seconds_a_byte = float(delay_ms) / 1000, 8 / float(rate)
    free_at = {phone: 0.0, far: 0.0}  # when the way from there has sent all before
    held = []
    count = 0
    while True:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        readable, _, _ = select.select([phone, far, 0], [], [], wait)
        if 0 in readable and not os.read(0, 1):
            return
        for source in (phone, far):
            while source in readable:
                try:
                    packet = os.read(source, 2048)
                except BlockingIOError:
                    break
                now = time.monotonic()
                begins = max(now, free_at[source])
                if begins - now > LONGEST_WAIT_S:
                    continue
                free_at[source] = begins + len(packet) * seconds_a_byte
                count += 1
                heapq.heappush(held, (free_at[source] + delay, count, far if source == phone else phone, packet))
        while held and held[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(held)
            try:
                os.write(target, packet)
            except OSError:
                pass  # the other end is going


main(*sys.argv[1:])
