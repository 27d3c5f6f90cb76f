#!/usr/bin/env python3
"""Counts the instructions in user space for each message: of this machine's library, and of those for OpenHarmony.

    instructions.py --server PROGRAM --plugin count.so NAME=COMMAND...

scripts/bench.sh --instructions builds what this runs. Each COMMAND begins with a qemu, also that of this machine's library, so that
all are counted alike. The figure of a row is the difference of two runs, one with twice the messages of the other, divided by the
messages between them: connecting and what loads the program are in both. Prints a table in Markdown, the medians of interleaved
runs, with each library against the first one.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

from run import COPIES, Server

RUNS = 3
ROWS = [
    ("receive 32 B", "receive", 32, 200_000, "/flood/{count}/{size}"),
    ("receive 1 KiB", "receive", 1024, 50_000, "/flood/{count}/{size}"),
    ("send batched 32 B", "send-batch", 32, 100_000, "/sink/{count}"),
    ("send batched 1 KiB", "send-batch", 1024, 50_000, "/sink/{count}"),
    ("round trip 32 B", "echo", 32, 5_000, "/echo"),
    ("round trip 1 KiB", "echo", 1024, 5_000, "/echo"),
]


def executed(command, row, count, server, plugin, file):
    _, mode, size, _, path = row
    url = f"ws://127.0.0.1:{server.values['PORT']}{path.format(count=count, size=size)}"
    environment = {**os.environ, **COPIES, "QEMU_PLUGIN": f"file={plugin},out={file}"}
    try:
        subprocess.run([*command, mode, str(size), str(count), url], check=True, capture_output=True, text=True, timeout=300, env=environment)
    except subprocess.SubprocessError as error:
        sys.exit(f"error: {shlex.join(command)}: {str(error.stderr).strip()[:300]}")
    with open(file) as number:
        return int(number.read())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("libraries", nargs="+", metavar="NAME=COMMAND")
    options = parser.parse_args()
    commands = {name: shlex.split(command) for name, command in (entry.split("=", 1) for entry in options.libraries)}
    first, *others = commands
    print(f"| row | {first} | {' | '.join(others)} |")
    print("|---" * (len(commands) + 1) + "|")
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "executed")
        server = Server(options.server, os.path.join(folder, "authority.pem"))
        for row in ROWS:
            figures = {name: [] for name in commands}
            for _ in range(RUNS):
                for name, command in commands.items():
                    count = row[3]
                    less, more = (executed(command, row, times * count, server, options.plugin, file) for times in (1, 2))
                    figures[name].append((more - less) / count)
            base = statistics.median(figures[first])
            cells = [f"{base:,.0f}"] + [f"{value:,.0f} ({value / base:.2f}×)" for value in (statistics.median(figures[name]) for name in others)]
            print(f"| {row[0]} | {' | '.join(cells)} |", flush=True)
        server.stop()


if __name__ == "__main__":
    main()
