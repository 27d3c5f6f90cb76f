#!/usr/bin/env python3
"""Counts the instructions in user space for each message: of this machine's library, and of the one for OpenHarmony on x86_64.

    instructions.py --server PROGRAM --host COMMAND --ohos COMMAND

scripts/bench.sh --instructions builds what this runs. It needs `perf` and its counters. Prints a table in Markdown: the least of
three interleaved runs. The processor time of musl's loader and of connecting is in the figures; the counts are so high that it does
not show.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile

from run import CLIENT_CPU, Server

RUNS = 3
ROWS = [
    ("receive 32 B", "receive", 32, 1_000_000, "/flood/{count}/{size}"),
    ("receive 1 KiB", "receive", 1024, 400_000, "/flood/{count}/{size}"),
    ("send batched 32 B", "send-batch", 32, 1_000_000, "/sink/{count}"),
    ("send batched 1 KiB", "send-batch", 1024, 300_000, "/sink/{count}"),
    ("round trip 32 B", "round-trip", 32, 20_000, "/echo"),
    ("round trip 1 KiB", "round-trip", 1024, 20_000, "/echo"),
]


def instructions(command, counted, authority, program):
    _, mode, size, count, path = counted
    server = Server(program, authority)
    url = f"ws://127.0.0.1:{server.values['PORT']}{path.format(count=count, size=size)}"
    with tempfile.NamedTemporaryFile("r") as figures:
        perf = ["perf", "stat", "-x", ",", "-o", figures.name, "-e", "instructions:u"]
        try:
            subprocess.run(["taskset", "-c", CLIENT_CPU, *perf, *command, mode, str(size), str(count), url], check=True,
                           capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            sys.exit(f"error: {shlex.join(command)}: {error.stderr.strip()[:300]}")
        finally:
            server.stop()
        line = next(line for line in figures if line.strip() and not line.startswith("#"))
    value = line.split(",")[0]
    if not value.isdigit():
        sys.exit(f"error: perf counts no instructions here: {value}")
    return int(value) / count


def main():
    parser = argparse.ArgumentParser()
    for name in ("server", "host", "ohos"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    commands = {"host": shlex.split(options.host), "ohos": shlex.split(options.ohos)}
    print("| row | this machine's library | OpenHarmony's, x86_64 | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for counted in ROWS:
            least = {}
            for _ in range(RUNS):
                for which, command in commands.items():
                    figure = instructions(command, counted, os.path.join(folder, "authority.pem"), options.server)
                    least[which] = min(least.get(which, figure), figure)
            host, ohos = least["host"], least["ohos"]
            print(f"| {counted[0]} | {host:,.0f} | {ohos:,.0f} | {ohos / host:.2f} |", flush=True)


if __name__ == "__main__":
    main()
