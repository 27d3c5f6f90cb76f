#!/usr/bin/env bash
# Jetty 9.4 drops the wrong compression history: a client that asks Jetty to drop its own history is closed with 1007.
#
# A good guess: after `server_no_context_takeover` the server compresses each message by itself (RFC 7692 section
# 7.1.1.1), and the client's messages may still refer to earlier ones. Jetty drops the client's history, keeps its own,
# and fails at the client's second message. `client_no_context_takeover` makes it drop its own. It accepts a requested
# smaller window without naming it. Needs Java 17's JDK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libjetty9-extra-java=9.4.57-1.1~deb12u1
cat >"$work/Echo.java" <<'JAVA'
import java.io.IOException;
import java.net.InetSocketAddress;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.servlet.WebSocketServlet;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

public class Echo {
    public static class Socket extends WebSocketAdapter {
        @Override
        public void onWebSocketText(String text) {
            try {
                getRemote().sendString(text);
            } catch (IOException gone) {
                // The client has left.
            }
        }
    }

    public static class Servlet extends WebSocketServlet {
        @Override
        public void configure(WebSocketServletFactory factory) { factory.register(Socket.class); }
    }

    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new InetSocketAddress("127.0.0.1", 16851));
        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(new ServletHolder(new Servlet()), "/*");
        server.setHandler(context);
        server.start();
    }
}
JAVA
java=$work/debian/usr/share/java
serve java -cp "$(printf '%s:' "$java"/jetty9-*.jar "$java/servlet-api.jar")" Echo.java

python3 - <<'PY' | compare "nothing asked: ['permessage-deflate']: whole, refers back
server_no_context_takeover: ['permessage-deflate;server_no_context_takeover']: whole, close 1007
the same, and the client forgets: ['permessage-deflate;server_no_context_takeover']: whole, refers back
client_no_context_takeover: ['permessage-deflate;client_no_context_takeover']: whole, whole
server_max_window_bits=9: ['permessage-deflate']: whole, refers back"
import random
import zlib

from raw import *

random.seed(1)
LETTERS = "".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(2000)).encode()


def frame(payload):
    size = len(payload)
    return struct.pack("!BB", 0xC1, 0x80 | size) if size < 126 else struct.pack("!BBH", 0xC1, 0x80 | 126, size)


def echoes(parameter, forgets):
    """Two equal messages, and for each echo whether it is whole or refers to an earlier one."""
    offer = "permessage-deflate" + (f"; {parameter}" if parameter else "")
    client, seen = Raw(16851, headers=[f"Sec-WebSocket-Extensions: {offer}"]), []
    history = zlib.compressobj(wbits=-15)
    for _ in range(2):
        payload = (history.compress(LETTERS) + history.flush(zlib.Z_SYNC_FLUSH))[:-4]
        client.sock.sendall(frame(payload) + bytes(4) + payload)
        if forgets:
            history = zlib.compressobj(wbits=-15)
        words = client.read()
        # Letters at random are not to be had in 100 bytes without those before; longer ones are told by their size.
        short = words[:10] if words.startswith("close") else "refers back"
        seen.append("whole" if words.endswith(" bytes") else short)
    return f"{client.header('Sec-WebSocket-Extensions')}: {', '.join(seen)}"


for _ in range(300):  # Java compiles it first.
    try:
        socket.create_connection(("127.0.0.1", 16851)).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
print("nothing asked:", echoes("", False))
print("server_no_context_takeover:", echoes("server_no_context_takeover", False))
print("the same, and the client forgets:", echoes("server_no_context_takeover", True))
print("client_no_context_takeover:", echoes("client_no_context_takeover", True))
print("server_max_window_bits=9:", echoes("server_max_window_bits=9", False))
PY
