"""What the clients of others here share: checks that are counted, and the echo server that they start."""

import subprocess
import sys

passed = failed = 0


def check(name, got, expected):
    global passed, failed
    if got == expected:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {got!r:.200} instead of {expected!r:.200}")


def with_server(talk, closes):
    """Starts the server of the arguments without and with compression, calls talk(url, deflate), and checks its last lines."""
    for deflate in (False, True):
        command = sys.argv[1:] + (["deflate"] if deflate else [])
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        talk(server.stdout.readline().strip(), deflate)
        server.stdin.close()
        told = server.stdout.read().splitlines()
        check("closes", told[-len(closes):], [f"closed {code} {reason}" for code, reason in closes])
        check("status", server.wait(20), 0)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)
