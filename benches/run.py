#!/usr/bin/env python3
"""Runs the benchmark programs and writes the table and the plot. scripts/bench.sh builds what this runs.

    run.py --out DIRECTORY --server PROGRAM --client NAME=COMMAND... --together COMMAND --servers COMMAND --echo COMMAND
           [--repetitions N] [--quick] [--versions FILE] [--rows WORDS]

Each repetition goes once through all clients of a row, so that what the machine does meanwhile meets all alike. The program of
--together does so by itself, with clients of its own, in rows of their own. Those of --servers and --echo do so with servers, in
an engine and without one. The first figure of a row is the median; the range is from the least to the most.
"""

import argparse
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from xml.sax.saxutils import escape

CLIENT_CPU, SERVER_CPU = "0", "1"
SIZES = {"32 B": 32, "1 KiB": 1024, "64 KiB": 65536}
MIB = 1_048_576
# Runs of a repetition, of rows of long messages.
TIMES = {65536: 3}


# On AMD's Zen 4, `rep movsb` is several times as slow if source and target have nearly the same place in their pages (glibc's bug
# 30994). Whether they do depends on what else a program has allocated. So no program copies with it.
COPIES = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824"}


class Row:
    """A line of the table: what each client does, and which of the printed values counts."""

    def __init__(self, group, title, mode, size, count, path, values, unit, scale=1.0, slow=None, port="PORT", clients=None,
                 together=None, quick=None, times=1):
        # How many runs a repetition has. The kernel's share of some rows has two modes, and few runs say little of both.
        self.times = times
        # The count of a quick run, if not a tenth.
        self.quick = quick
        # Which program measures all by itself: "clients" those in one process, "servers" and "echo" the servers.
        self.together = together
        # Which of the server's ports, and the only clients that can do it, if not all.
        self.port, self.clients = port, clients
        self.group, self.title, self.mode, self.size, self.count = group, title, mode, size, count
        self.path, self.values, self.unit, self.scale = path, values, unit, scale
        # Fewer messages for clients that take so much longer that a run would not end.
        self.slow = slow or {}

    def count_for(self, client):
        return max(1, int(self.count / self.slow.get(client, 1)))


OURS, CORE, ARKTS, RAW, RAW_TLS = "net_websocket (C)", "net_websocket (Rust)", "net_websocket (ArkTS)", "raw", "raw (TLS)"
RAW_EPOLL, RAW_THREADS = "raw (epoll)", "raw (two threads)"
WEB, BEFORE = "net_websocket (web)", "net_websocket before"
# The C API, with an application that lets 2 MiB wait to be sent, as all other clients wait for the kernel.
BOUNDED = "net_websocket (C, 2 MiB)"
# The C API, of this build and an earlier one. Some rows compare the library with itself.
OF_OURS = {OURS, BEFORE}
# They write each message by itself.
WITHOUT_BATCHES = {"Boost.Beast", "libwebsockets"}
# Clients with TLS, and those of them that resume a session of the one before.
WITH_TLS = {*OF_OURS, CORE, "Boost.Beast", "libwebsockets", "npm ws"}
WITH_DEFLATE = {*OF_OURS, "Boost.Beast", "npm ws"}
WITH_EXCHANGE = {*OF_OURS, "npm ws", "PyPI websockets"}
# Messages that each of them exchanges.
VARIETY = 64
WITH_RESUMPTION = {RAW_TLS, *OF_OURS, CORE, "Boost.Beast"}
# The groups of rows that these clients are for. RAW_TLS has those that name it.
ONLY = {BOUNDED: {"send"}, RAW_EPOLL: {"receive", "round-trip", "growth"}, RAW_THREADS: {"connect", "call"}, "PyPI websockets": {"exchange-deflate"},
        "libwebsockets (context each)": {"idle"}}
SLOW_RECEIVE = {"libwebsockets": 10, "npm ws": 4}
SLOW_SEND = {"libwebsockets": 10, "npm ws": 10}


def rows():
    table = []
    for name, size in SIZES.items():
        count = {32: 4_000_000, 1024: 1_000_000, 65536: 20_000}[size]
        table.append(Row("receive", f"receive {name}", "receive", size, count, f"/flood/{{count}}/{size}",
                         [("cpu_ns", "CPU"), ("wall_ns", "wall")], "ns per message", slow=SLOW_RECEIVE, times=TIMES.get(size, 1)))
    table.append(Row("receive", "receive 1 MiB", "receive", MIB, 1_000, f"/flood/{{count}}/{MIB}", [("cpu_ns", "CPU"), ("wall_ns", "wall")],
                     "ns per message", slow=SLOW_RECEIVE, times=3))
    for name, size in SIZES.items():
        count = {32: 2_000_000, 1024: 600_000, 65536: 16_000}[size]
        table.append(Row("send", f"send batched {name}", "send-batch", size, count, "/sink/{count}",
                         [("cpu_ns", "CPU"), ("wall_ns", "wall")], "ns per message", slow=SLOW_SEND, times=TIMES.get(size, 1)))
    for name, size in SIZES.items():
        count = {32: 200_000, 1024: 150_000, 65536: 16_000}[size]
        table.append(Row("send", f"send single {name}", "send", size, count, "/sink/{count}",
                         [("cpu_ns", "CPU"), ("wall_ns", "wall")], "ns per message", slow=SLOW_SEND, times=TIMES.get(size, 1)))
    for name, size in SIZES.items():
        count = {32: 20_000, 1024: 20_000, 65536: 5_000}[size]
        table.append(Row("round-trip", f"round trip {name}", "round-trip", size, count, "/echo",
                         [("p50_ns", "p50"), ("p99_ns", "p99"), ("cpu_ns", "CPU")], "µs", scale=1e-3))
    for waiting, mode, who in (("nothing waits", "send-call", {RAW_THREADS, *OF_OURS}), ("little waits", "send-call-beside", OF_OURS)):
        for name in ("32 B", "1 KiB"):
            table.append(Row("call", f"send call {name}, {waiting}", mode, SIZES[name], 20_000, "/echo", [("p50_ns", "p50"), ("p99_ns", "p99")],
                             "ns", clients=who))
    for count in (100, 1_000, 10_000):
        table.append(Row("idle", f"idle {count:,} connections", "idle", 0, count, "/idle",
                         [("rss_bytes", "memory"), ("threads", "threads")], "bytes per connection"))
    table.append(Row("idle-wss", "idle wss 10,000 connections", "idle", 0, 10_000, "/idle",
                     [("rss_bytes", "memory"), ("threads", "threads")], "bytes per connection", port="TLS_PORT", clients=WITH_TLS,
                     slow={"libwebsockets": 10}))
    private = [("private_bytes", "private memory written to"), ("threads", "threads")]
    for title, count, port in (("first connection", 1, "PORT"), ("first 100 connections", 100, "PORT"), ("first connection wss", 1, "TLS_PORT")):
        table.append(Row("first", title, "first", 0, count, "/idle", private, "bytes per connection", port=port, clients=OF_OURS, quick=count))
    cpu_first = [("cpu_ns", "CPU"), ("wall_ns", "wall")]
    for name, size in SIZES.items():
        count = {32: 1_000_000, 1024: 300_000, 65536: 8_000}[size]
        table.append(Row("receive-wss", f"receive wss {name}", "receive", size, count, f"/flood/{{count}}/{size}",
                         cpu_first, "ns per message", slow=SLOW_RECEIVE, port="TLS_PORT", clients=WITH_TLS))
    for name, size in SIZES.items():
        count = {32: 1_000_000, 1024: 200_000, 65536: 6_000}[size]
        table.append(Row("send-wss", f"send wss {name}", "send-batch", size, count, "/sink/{count}",
                         cpu_first, "ns per message", slow={**SLOW_SEND, "Boost.Beast": 10}, port="TLS_PORT", clients=WITH_TLS))
    for name, size in SIZES.items():
        count = {32: 10_000, 1024: 10_000, 65536: 2_000}[size]
        table.append(Row("round-trip-wss", f"round trip wss {name}", "round-trip", size, count, "/echo",
                         [("p50_ns", "p50"), ("p99_ns", "p99"), ("cpu_ns", "CPU")], "µs", scale=1e-3, port="TLS_PORT",
                         clients=WITH_TLS))
    table.append(Row("receive-deflate", "receive deflate 1 KiB", "receive", 1024, 200_000, "/flood-deflate/{count}/1024",
                     cpu_first, "ns per message", slow={"npm ws": 4}, clients=WITH_DEFLATE))
    table.append(Row("send-deflate", "send deflate 1 KiB", "send-text", 1024, 100_000, "/sink-deflate/{count}",
                     [*cpu_first, ("percent", "bytes on the wire, in % of the messages'"), ("grown_bytes", "memory grown by, in bytes")],
                     "ns per message", slow={"npm ws": 4}, clients=WITH_DEFLATE))
    table.append(Row("exchange-deflate", "1,000 connections that exchanged deflate 1 KiB", "exchange", 1024, 1_000,
                     f"/exchange-deflate/{VARIETY}", [("rss_bytes", "memory"), ("threads", "threads")], "bytes per connection",
                     clients=WITH_EXCHANGE))
    wall_first = [("wall_ns", "wall"), ("cpu_ns", "CPU")]
    table.append(Row("connect", "connect ws", "connect", 0, 1_000, "/echo", wall_first, "µs per connection", scale=1e-3))
    table.append(Row("connect", "connect wss full", "connect", 0, 300, "/echo", wall_first, "µs per connection", scale=1e-3,
                     port="TLS_FULL_PORT", clients={RAW_TLS, *WITH_TLS}))
    table.append(Row("connect", "connect wss resumed", "connect", 0, 300, "/echo", wall_first, "µs per connection",
                     scale=1e-3, port="TLS_PORT", clients=WITH_RESUMPTION))
    table.append(Row("connect", "connect ws, 5,000 open", "connect-beside-open", 0, 1_000, "/echo", wall_first,
                     "µs per connection", scale=1e-3, clients=OF_OURS))
    latency = [("p50_ns", "p50"), ("p99_ns", "p99"), ("cpu_ns", "CPU")]
    table.append(Row("tail", "round trip 32 B beside floods", "round-trip-beside-floods", 32, 2_000, "/echo", latency, "µs",
                     scale=1e-3, clients={RAW, *OF_OURS}))
    for count in (1, 1_000):
        table.append(Row("tail", f"round trip 32 B, {count:,} × 10 a second", "paced", 32, count, "/echo-many", latency, "µs",
                         scale=1e-3, clients={RAW, *OF_OURS}, quick=count))
    for count in (10, 1_000, 10_000):
        table.append(Row("growth", f"echo 32 B over {count:,} connections", "echo-many", 32, count, "/echo-many", cpu_first,
                         "ns per message", clients={RAW_EPOLL, *OF_OURS}, quick=count))
    for name, size in SIZES.items():
        count = {32: 400_000, 1024: 400_000, 65536: 20_000}[size]
        table.append(Row("server", f"server echo {name}", "echo", size, count, "/", cpu_first, "ns per message", together="echo", times=3))
    table.append(Row("server-idle", "server, idle 10,000 connections", "idle", 0, 10_000, "/", [("rss_bytes", "memory")], "bytes per connection",
                     together="echo"))
    for mode, path, counts in (
        ("receive", "/flood/{count}/{size}", (150_000, 80_000, 4_000)),
        ("receive text", "/flood-text/{count}/{size}", (150_000, 80_000, 4_000)),
        ("echo", "/echo", (20_000, 20_000, 1_000)),
        ("echo text", "/echo-text", (20_000, 20_000, 1_000)),
        ("round trip", "/echo", (5_000, 5_000, 1_000)),
    ):
        for (name, size), count in zip(SIZES.items(), counts):
            table.append(Row(f"node-{mode.replace(' ', '-')}", f"Node {mode} {name}", mode.removesuffix(" text").replace(" ", "-"), size, count,
                             path.replace("{size}", str(size)), cpu_first, "ns per message", together="clients"))
    for name, size in SIZES.items():
        count = {32: 50_000, 1024: 50_000, 65536: 5_000}[size]
        table.append(Row("node-server", f"Node server echo {name}", "echo", size, count, "/", cpu_first, "ns per message", together="servers"))
    table.append(Row("node-server", "Node server broadcast 1 KiB", "broadcast", 1024, 100_000, "/", cpu_first, "ns per message",
                     together="servers"))
    return table


class Server:
    def __init__(self, program, authority, *prefix):
        self.process = subprocess.Popen([*prefix, "taskset", "-c", SERVER_CPU, program, authority], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        # What it prints: its ports, and at the end what it counted.
        self.values = {}
        for line in self.process.stdout:
            if line.startswith("READY"):
                return
            self.note(line)
        sys.exit("error: the server did not start")

    def note(self, line):
        name, value = line.strip().split("=")
        self.values[name] = int(value)

    def stop(self):
        self.process.stdin.close()
        for line in self.process.stdout:
            self.note(line)
        self.process.wait()


def run_program(command, row, mode, count, server, authority, *more, environment={}):
    path = row.path.format(count=count)
    scheme = "ws" if row.port == "PORT" else "wss"
    url = f"{scheme}://127.0.0.1:{server.values[row.port]}{path}"
    arguments = ["taskset", "-c", CLIENT_CPU, *command, mode, str(row.size), str(count), url, *more]
    trust = {**os.environ, **COPIES, **environment, "SSL_CERT_FILE": authority, "NODE_EXTRA_CA_CERTS": authority}
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, env=trust)
    except subprocess.TimeoutExpired:
        return None, "no end within 120 s"
    if done.returncode != 0:
        lines = (done.stderr or "").strip().splitlines() or [f"exit status {done.returncode}"]
        return None, lines[0][:160]
    return done.stdout, None


def run_beside_floods(client, command, floods_command, row, count, server, server_program, authority):
    """Floods have a server of their own, at the lowest priority: it is clients that are measured here. The raw socket has one
    more process of the library beside it that makes them."""
    flood_server = Server(server_program, authority, "nice", "-n", "19")
    environment = {"FLOOD_URL": f"ws://127.0.0.1:{flood_server.values['PORT']}/"}
    floods = None
    try:
        if client != RAW:
            return run_program(command, row, row.mode, count, server, authority, environment=environment)
        floods = subprocess.Popen(["taskset", "-c", CLIENT_CPU, *floods_command, "floods", str(row.size), "1", "ws://-/"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
        if not floods.stdout.readline().startswith("READY"):
            return None, "no floods"
        return run_program(command, row, "round-trip", count, server, authority)
    finally:
        if floods:
            floods.communicate("")
        flood_server.stop()


def pairs(text):
    return {name: float(value) for name, value in (pair.split("=") for pair in text.split())}


def run_client(client, clients, row, count, server, server_program, authority):
    mode = "send" if row.mode == "send-batch" and client in WITHOUT_BATCHES else row.mode
    if mode == "round-trip-beside-floods":
        printed, error = run_beside_floods(client, clients[client], clients[OURS], row, count, server, server_program, authority)
    else:
        printed, error = run_program(clients[client], row, mode, count, server, authority)
    return (None, error) if error else (pairs(printed), None)


def measure_together(row, command, server_program, authority, repetitions):
    """The cells of a row that one program measures, and why there are none."""
    cells = {}
    for repetition in range(repetitions):
        server = Server(server_program, authority)
        try:
            printed, error = run_program(command, row, row.mode, row.count, server, authority, str(repetition))
        finally:
            server.stop()
        if error:
            print(f"    {row.title}: {error}", file=sys.stderr, flush=True)
            return {}, error
        for line in printed.splitlines():
            client, values = line.split(":")
            for name, value in pairs(values).items():
                cells.setdefault(client, {}).setdefault(name, []).append(value)
    return cells, None


def takes_part(client, row):
    if row.mode == "send-batch" and client in WITHOUT_BATCHES and row.clients is None:
        return False
    if row.group not in ONLY.get(client, {row.group}) or client == "libwebsockets (context each)" and row.count > 1_000:
        return False
    if row.clients is None:
        return client != RAW_TLS
    return client in row.clients


def measure(table, clients, together, server_program, authority, repetitions, quick):
    """results[row title][client][value name] = list of figures; notes = why a client has none."""
    results, notes = {}, {}
    for row in table:
        if quick:
            row.count = row.quick or max(row.count // 10, 64)
        runs = repetitions if quick else repetitions * row.times
        cells = results.setdefault(row.title, {})
        start = time.monotonic()
        if row.together:
            measured, error = measure_together(row, together[row.together], server_program, authority, runs)
            cells.update(measured)
            if error:
                notes[row.title, ARKTS] = error
        for repetition in range(0 if row.together else runs):
            for client in clients:
                if not takes_part(client, row):
                    continue
                if (row.title, client) in notes:
                    continue
                # Each run has its own server, so that one client does not affect the next.
                server = Server(server_program, authority)
                count = row.count_for(client)
                try:
                    values, error = run_client(client, clients, row, count, server, server_program, authority)
                finally:
                    server.stop()
                if not error and row.title.endswith("resumed") and server.values["RESUMED"] < 0.9 * count:
                    error = f"only {server.values['RESUMED']} of {count} handshakes were resumed"
                if not error and row.mode == "send-text":
                    values["percent"] = 100 * server.values["SUNK_BYTES"] / (count * row.size)
                if error:
                    notes[row.title, client] = error
                    print(f"    {row.title}, {client}: {error}", file=sys.stderr, flush=True)
                    continue
                for name, value in values.items():
                    cells.setdefault(client, {}).setdefault(name, []).append(value)
            print(f"\r    {row.title}: {repetition + 1} of {runs}", end="", file=sys.stderr, flush=True)
        name, label = row.values[0]
        shown = ", ".join(f"{client} {number(statistics.median(values[name]) * row.scale)}"
                          for client, values in cells.items())
        print(f"\r    {row.title} ({label}, {row.unit}; {time.monotonic() - start:.0f} s): {shown}", file=sys.stderr,
              flush=True)
    return results, notes


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def cell(figures, scale):
    if not figures:
        return "–"
    middle, low, high = statistics.median(figures), min(figures), max(figures)
    if low == high:
        return number(middle * scale)
    return f"{number(middle * scale)} ({number(low * scale)}–{number(high * scale)})"


def shown_in(row, clients, results):
    return results[row.title] if row.together else clients


def median_of(results, title, client, name):
    figures = results.get(title, {}).get(client, {}).get(name)
    return statistics.median(figures) if figures else None


def goals(results):
    """The ratios this library is built to; each with what it is compared with."""
    lines = []

    def best(title, name):
        figures = [(median_of(results, title, client, name), client) for client in results.get(title, {})
                   if not client.startswith(("net_websocket", RAW))]
        return min((figure for figure in figures if figure[0] is not None), default=(None, None))

    def ratio(title, name, against, limit, client=OURS):
        ours = median_of(results, title, client, name)
        other, rival = best(title, name) if against == "best" else (median_of(results, title, against, name), against)
        if ours is None or not other:
            return
        value = ours / other
        label = {"cpu_ns": "CPU", "wall_ns": "wall", "p50_ns": "p50"}[name]
        met = "yes" if value <= limit else "no"
        whose = {WEB: ", web.WebSocket", BOUNDED: ", 2 MiB queued"}.get(client, "")
        lines.append(f"| {title}, {label}{whose} | {rival} | {value:.2f}× | ≤ {limit:g}× | {met} |")

    def at_most(title, name, limit, label="memory", unit="bytes"):
        ours = median_of(results, title, OURS, name)
        if ours is not None:
            met = "yes" if ours <= limit else "no"
            lines.append(f"| {title}, {label} | – | {ours:,.0f} {unit} | ≤ {limit:,} {unit} | {met} |")

    for size, limit in zip((*SIZES, "1 MiB"), (0.5, 1.0, 1.0, 1.0)):
        ratio(f"receive {size}", "cpu_ns", "best", limit)
    ratio("receive 1 KiB", "cpu_ns", RAW, 1.15)
    ratio("receive 64 KiB", "cpu_ns", RAW, 1.05)
    for size, limit in zip(SIZES, (0.6, 1.0, 1.0)):
        ratio(f"send batched {size}", "cpu_ns", "best", limit)
    ratio("send single 64 KiB", "cpu_ns", "best", 1.0)
    for title in ("send batched 64 KiB", "send single 64 KiB"):
        ratio(title, "cpu_ns", "best", 1.0, BOUNDED)
    for size in ("32 B", "1 KiB"):
        at_most(f"send call {size}, little waits", "p99_ns", 1_000, "p99", "ns")
    ratio("round trip 32 B", "p50_ns", RAW, 1.05)
    ratio("round trip 1 KiB", "p50_ns", RAW, 1.05)
    ratio("round trip 64 KiB", "p50_ns", RAW, 1.10)
    at_most("idle 10,000 connections", "rss_bytes", 2_600)
    at_most("idle wss 10,000 connections", "rss_bytes", 9_216)
    for title, limit in (("first connection", 200_000), ("first 100 connections", 8_000), ("first connection wss", 300_000)):
        at_most(title, "private_bytes", limit)
    at_most("1,000 connections that exchanged deflate 1 KiB", "rss_bytes", 81_920)
    threads = median_of(results, "idle 10,000 connections", OURS, "threads")
    if threads is not None:
        lines.append(f"| idle 10,000 connections, threads of the library | – | {threads - 1:.0f} | ≤ 3 | "
                     f"{'yes' if threads <= 4 else 'no'} |")
    ratio("connect ws", "cpu_ns", "best", 1.1)
    for connect, limit in (("connect ws", 0.87), ("connect wss full", 0.67), ("connect wss resumed", 0.77)):
        ratio(connect, "wall_ns", "best", limit)

    def own(title, base, name, limit):
        ours, other = (median_of(results, row, OURS, name) for row in (title, base))
        if ours and other:
            label = {"cpu_ns": "CPU", "p50_ns": "p50", "p99_ns": "p99", "wall_ns": "wall"}[name]
            lines.append(f"| {title}, {label} | {base} | {ours / other:.2f}× | ≤ {limit:g}× | {'yes' if ours <= limit * other else 'no'} |")

    own("round trip 32 B beside floods", "round trip 32 B", "p50_ns", 2)
    own("round trip 32 B beside floods", "round trip 32 B", "p99_ns", 10)
    own("round trip 32 B, 1,000 × 10 a second", "round trip 32 B, 1 × 10 a second", "p99_ns", 3)
    own("connect ws, 5,000 open", "connect ws", "wall_ns", 1.2)
    for count in ("1,000", "10,000"):
        own(f"echo 32 B over {count} connections", "echo 32 B over 10 connections", "cpu_ns", 1.3)
    for row in ("receive wss", "send wss", "round trip wss"):
        ratio(f"{row} 32 B", "cpu_ns", "best", 1.0)
        ratio(f"{row} 1 KiB", "cpu_ns", "best", 1.0)
        ratio(f"{row} 64 KiB", "cpu_ns", "best", 1.1)
    for size, limit in zip(SIZES, (1.0, 1.0, 1.1)):
        ratio(f"server echo {size}", "cpu_ns", "best", limit)
    at_most("server, idle 10,000 connections", "rss_bytes", 4_096)
    for size in SIZES:
        ratio(f"Node server echo {size}", "cpu_ns", "npm ws", 0.5, ARKTS)
    ratio("Node server broadcast 1 KiB", "cpu_ns", "npm ws", 0.3, ARKTS)
    for mode, against, limits in (
        ("receive", "npm ws (ArrayBuffer)", (0.6, 0.6, 0.6)),
        ("receive text", "npm ws", (0.3, 0.3, 0.5)),
        ("echo", "npm ws", (0.6, 0.6, 0.8)),
        ("echo text", "npm ws", (0.6, 0.6, 0.8)),
        ("round trip", "npm ws", (0.95, 0.95)),
    ):
        for size, limit in zip(SIZES, limits):
            ratio(f"Node {mode} {size}", "cpu_ns", against, limit, ARKTS)
    for mode, limits in (("receive", (0.5, 0.5, 0.8)), ("receive text", (0.45, 0.45)), ("echo", (0.5, 0.5)), ("echo text", (0.5, 0.5))):
        for size, limit in zip(SIZES, limits):
            ratio(f"Node {mode} {size}", "cpu_ns", "npm ws (onmessage)", limit, WEB)
    if not lines:
        return []
    return ["## Goals", "", f"{OURS} against the best other client or the raw socket, {ARKTS} against npm ws, {WEB} against npm ws with the "
            "web's interface, medians of this run.", "",
            "| what | against | is | should be | met |", "|---|---|---|---|---|", *lines, ""]


def processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor()}, {os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {platform.release()} ({platform.machine()})"


def markdown(table, clients, results, notes, repetitions, versions, load):
    lines = ["# Benchmark results", "",
             "Written by `scripts/bench.sh`; do not edit.", "",
             f"{date.today().isoformat()}; {machine()}; load average {load}.", "",
             f"Client on CPU {CLIENT_CPU}, server on CPU {SERVER_CPU}, loopback. Medians of {repetitions} interleaved "
             "runs, in brackets the least and the most; rows of clients with 64 KiB and 1 MiB, and of servers without an engine, have "
             "three times as many runs. CPU time is that of the whole client process from the first message to the last.", "",
             "`raw` is no client: a blocking socket that reads and writes the same bytes and looks at none of them; "
             "`raw (epoll)` waits in epoll, as every client of many connections must. `raw (two threads)` opens and closes connections "
             "in a worker, for a caller that waits for each event; `raw (TLS)` is rustls alone. wss is TLS 1.3 with AES-128-GCM; "
             "Boost.Beast, libwebsockets and npm ws use OpenSSL and write each message by itself. "
             "`net_websocket` has no flush: what is queued when its session looks goes out at once, so that single and "
             "batched sends are the same program. Its calls do not wait, so its queue grows while the kernel takes no more. The other "
             "clients wait for the kernel then; `net_websocket (C, 2 MiB)` lets so much wait, and goes on with `onDrain`.", "",
             "No program copies memory with `rep movsb`, which is slow on AMD's Zen 4 by chance.", "",
             "In the rows of Node one process runs its clients one after the other, each round another first, after a round that "
             "does not count. An echo has up to 64 messages under way, a round trip one. npm ws gives binary messages as "
             "Buffers, views of what it has read, unless it is asked for ArrayBuffers as the others give; text is made a string "
             "with each. `net_websocket (web)` is `web.WebSocket`, with one `onmessage` and ArrayBuffers, as `npm ws (onmessage)` and Node's "
             "own.", "",
             "The call of a send: how long it takes its thread, which is not the library's. Each of those that find nothing waiting wakes the "
             "worker, which may take the caller's processor then. In `raw (two threads)` the call is one `write` that wakes a thread. "
             "Little waits: up to 31 messages before it.", "",
             "First connections: what the process has written to beyond its memory with the library loaded.", "",
             "Beside floods: 100 clients of the process receive messages of 1 KiB without an end, and 100 send them. Their server is "
             "another one, of the lowest priority; `raw` is a process of its own beside one that has the floods. "
             "1,000 × 10 a second: so many clients send so often, evenly in turn. Echo over many connections: 8 messages are under "
             "way.", "",
             "In the rows of servers the time is that of the server's process alone. An echo has 64 connections with one message under "
             "way on each; the clients are one process on the other CPU. `raw` is no server: epoll, one recv and one send a message. "
             "uWebSockets is socketify's, with one call into Python for each message. Idle clients have sent the request alone; "
             "the process of uWebSockets does not grow with them, because it has taken the memory at its start.", "",
             "In the rows of Node's servers the time is that of the server's process alone, which has "
             f"CPU {SERVER_CPU}; the clients are npm ws. An echo has 64 connections with one message under way on each; a "
             "broadcast goes to 1,000, and each of them counts as a message.", ""]
    if versions:
        lines += [versions.strip(), ""]
    lines += goals(results)
    for group in dict.fromkeys(row.group for row in table):
        members = [row for row in table if row.group == group]
        for name, label in members[0].values:
            unit = "" if name in UNITLESS else f", {members[0].unit}"
            scale = 1.0 if name in UNITLESS else members[0].scale
            lines += [f"## {group}: {label}{unit}", "",
                      "| | " + " | ".join(row.title for row in members) + " |",
                      "|---" * (len(members) + 1) + "|"]
            for client in shown_in(members[0], clients, results):
                cells = [cell(results[row.title].get(client, {}).get(name), scale) for row in members]
                if any(text != "–" for text in cells):
                    lines.append(f"| {client} | " + " | ".join(cells) + " |")
            lines.append("")
    missing = [f"- {client}, {title}: {why}" for (title, client), why in notes.items()]
    if missing:
        lines += ["## Not measured", "", *missing, ""]
    return "\n".join(lines)


# Values whose label says all.
UNITLESS = {"threads", "percent", "grown_bytes"}

COLOURS = {RAW: "#9a9a9a", RAW_EPOLL: "#c4c4c4", OURS: "#c8102e", ARKTS: "#c8102e", WEB: "#c8102e", CORE: "#f08a8a"}
PEER_COLOUR = "#4a78b5"


def plot(table, clients, results):
    """A panel per row of the table, a bar per client, the range as a line; each panel has its own scale."""
    panels = [row for row in table if results[row.title]]
    columns, width, bar, top = 3, 380, 16, 34
    label_width, value_width = 132, 70
    height = top + bar * len(clients) + 22
    total = -(-len(panels) // columns) * height + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * width}" height="{total}" '
           f'font-family="sans-serif" font-size="11">',
           f'<rect width="{columns * width}" height="{total}" fill="white"/>',
           '<text x="8" y="18" font-size="14">Less is better; the line is the range of all runs</text>']
    for index, row in enumerate(panels):
        left, y = index % columns * width, index // columns * height + 30
        name, label = row.values[0]
        cells = {client: results[row.title].get(client, {}).get(name) for client in shown_in(row, clients, results)}
        cells = {client: figures for client, figures in cells.items() if figures}
        # The bar of a much slower client is cut, so that the other bars stay long enough to compare.
        medians = sorted(statistics.median(figures) for figures in cells.values())
        limit = min(medians[-1], 6 * medians[len(medians) // 2]) or 1
        room = width - label_width - value_width
        out.append(f'<text x="{left + 8}" y="{y + 20}" font-weight="bold">{escape(row.title)}</text>')
        out.append(f'<text x="{left + width - 12}" y="{y + 20}" text-anchor="end" fill="#666">'
                   f'{escape(label)}, {escape(row.unit)}</text>')
        for line, (client, figures) in enumerate(cells.items()):
            at = y + top + line * bar
            middle = statistics.median(figures)
            length = [min(value, limit) / limit * room for value in (min(figures), middle, max(figures))]
            x, centre = left + label_width, at + bar / 2 - 1
            cut = " ▸" if middle > limit else ""
            out.append(f'<text x="{x - 6}" y="{at + 11}" text-anchor="end">{escape(client)}</text>')
            out.append(f'<rect x="{x}" y="{at + 1}" width="{length[1]:.1f}" height="{bar - 4}" '
                       f'fill="{COLOURS.get(client, PEER_COLOUR)}"/>')
            out.append(f'<line x1="{x + length[0]:.1f}" x2="{x + length[2]:.1f}" y1="{centre}" y2="{centre}" stroke="black"/>')
            out.append(f'<text x="{x + max(length[1], length[2]) + 4:.1f}" y="{at + 11}">{number(middle * row.scale)}{cut}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--client", action="append", required=True, metavar="NAME=COMMAND")
    parser.add_argument("--together", required=True, metavar="COMMAND")
    parser.add_argument("--servers", required=True, metavar="COMMAND")
    parser.add_argument("--echo", required=True, metavar="COMMAND")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--versions")
    parser.add_argument("--rows", default="", metavar="WORDS")
    options = parser.parse_args()

    clients = {name: shlex.split(command) for name, command in (entry.split("=", 1) for entry in options.client)}
    wanted = re.compile(rf"\b{re.escape(options.rows)}\b") if options.rows else re.compile("")
    table = [row for row in rows() if wanted.search(row.title)]
    if not table:
        sys.exit(f"error: no row has '{options.rows}' in its name; rows are: " + ", ".join(row.title for row in rows()))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    with tempfile.TemporaryDirectory() as folder:
        authority = os.path.join(folder, "authority.pem")
        together = {"clients": shlex.split(options.together), "servers": shlex.split(options.servers),
                    "echo": shlex.split(options.echo)}
        results, notes = measure(table, clients, together, options.server, authority, options.repetitions, options.quick)
    versions = open(options.versions).read() if options.versions else ""
    os.makedirs(options.out, exist_ok=True)
    for name, text in (("results.md", markdown(table, clients, results, notes, options.repetitions, versions, load)),
                       ("results.svg", plot(table, clients, results))):
        with open(os.path.join(options.out, name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
