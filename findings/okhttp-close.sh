#!/usr/bin/env bash
# OkHttp's client answers no close frame unless its listener calls `close`, and closes with 1001 if a message is longer
# than 16 MiB.
#
# A good guess: the library answers the close frame (RFC 6455 section 5.5.1), and `send` refuses a message or sends it.
# A listener without `onClosing` keeps the connection, so the server waits until its own timeout. `send` returns false
# for the long message, and the connection ends. A server's close frame with 1012, a restart, is a failure without a
# code. Needs Java 17's JDK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libokhttp-java=3.13.1-3 libokio-java=1.16.0-2
take_pypi websockets==17.4
cat >"$work/Talk.java" <<'JAVA'
import java.util.concurrent.CountDownLatch;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

public class Talk {
    public static void main(String[] arguments) throws Exception {
        CountDownLatch opened = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        boolean answers = arguments[1].equals("answers");
        Request request = new Request.Builder().url(arguments[0]).build();
        WebSocket socket = new OkHttpClient().newWebSocket(request, new WebSocketListener() {
            @Override
            public void onOpen(WebSocket socket, Response response) { opened.countDown(); }

            @Override
            public void onClosing(WebSocket socket, int code, String reason) {
                if (!arguments[1].equals("sends")) System.out.println("the listener has " + code);
                if (answers) socket.close(1000, "as well");
            }

            @Override
            public void onClosed(WebSocket socket, int code, String reason) { ended.countDown(); }

            @Override
            public void onFailure(WebSocket socket, Throwable error, Response response) {
                if (arguments[1].equals("restart")) System.out.println("a failure: " + error.getMessage());
                ended.countDown();
            }
        });
        opened.await();
        if (arguments[1].equals("sends")) {
            System.out.println("16 MiB: " + socket.send(ByteString.of(new byte[16 << 20])));
            System.out.println("a byte more: " + socket.send(ByteString.of(new byte[(16 << 20) + 1])));
            System.out.println("one byte: " + socket.send("a"));
        }
        ended.await();
        System.exit(0);
    }
}
JAVA
jars=$work/debian/usr/share/java/okhttp.jar:$work/debian/usr/share/java/okio.jar:$work
javac -nowarn -cp "$jars" -d "$work" "$work/Talk.java"
cat >"$work/talk.py" <<'PY'
import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def main():
    ended = asyncio.get_running_loop().create_future()
    lengths = []

    async def served(socket):
        try:
            if code:
                await socket.close(code, "bye")
            while True:
                lengths.append(len(await socket.recv()))
        except ConnectionClosed:
            pass
        finally:
            ended.set_result(socket.protocol.close_rcvd)

    code = {"ignores": 4001, "answers": 4001, "restart": 1012}.get(sys.argv[1])
    # After the timeout it ends TCP.
    async with serve(served, "127.0.0.1", 0, max_size=None, compression=None, close_timeout=3) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        client = await asyncio.create_subprocess_exec("java", "-cp", sys.argv[2], "Talk", address, sys.argv[1])
        received = await ended
        try:
            await asyncio.wait_for(client.wait(), 2)
        except TimeoutError:
            client.kill()  # It waits for ever.
            await client.wait()
    for length in lengths:
        print(f"the server has {length} bytes")
    if received:
        print(f"the client's close frame: {received.code} {received.reason!r}")
    else:
        print("no close frame from the client")


asyncio.run(main())
PY
for case in ignores answers restart sends; do
    echo "$case:"
    "$work/python/bin/python" -u "$work/talk.py" "$case" "$jars"
done | compare "ignores:
the listener has 4001
no close frame from the client
answers:
the listener has 4001
the client's close frame: 1000 'as well'
restart:
a failure: Code 1012 is reserved and may not be used.
no close frame from the client
sends:
16 MiB: true
a byte more: false
one byte: false
the server has 16777216 bytes
the client's close frame: 1001 ''"
