#!/usr/bin/env bash
# When an endpoint throws, Tomcat closes the connection with 1002 "An unrecoverable IOException occurred", as if the
# client were at fault.
#
# A good guess: 1011, the code of RFC 6455 section 7.4.1 for a failed server, or no close frame. 1002 means that the
# client violated the protocol, so clients that check the code do not reconnect. Tomcat also answers 1012, 1013 and 1014
# of a client with 1002. And the default limit of 8,192 counts bytes of binary, but UTF-16 units of text: 24,576 bytes
# of text can pass. Needs Java 17's JDK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libtomcat10-java=10.1.60-1~deb12u1
cat >"$work/Echo.java" <<'JAVA'
import jakarta.websocket.OnMessage;
import jakarta.websocket.server.ServerEndpoint;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.catalina.Context;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.websocket.server.WsSci;

public class Echo {
    @ServerEndpoint("/")
    public static class Endpoint {
        @OnMessage
        public String text(String text) {
            if (text.equals("fail")) throw new IllegalStateException("as asked");
            return text.length() + " characters";
        }

        @OnMessage
        public String binary(ByteBuffer bytes) { return bytes.remaining() + " bytes"; }
    }

    public static void main(String[] arguments) throws Exception {
        Tomcat server = new Tomcat();
        server.setBaseDir(".");
        server.setPort(16844);
        server.getConnector().setProperty("address", "127.0.0.1");
        Context context = server.addContext("", null);
        context.addServletContainerInitializer(new WsSci(), Set.of(Endpoint.class));
        Tomcat.addServlet(context, "default", new DefaultServlet());
        context.addServletMappingDecoded("/", "default");
        server.start();
        server.getServer().await();
    }
}
JAVA
serve java -cp "$(printf '%s:' "$work"/debian/usr/share/java/tomcat10-*.jar)" Echo.java

python3 - <<'PY' | compare "it throws: close 1002 b'An unrecoverable IOException occurred so the connection was closed', FIN
close 1012: close 1002 b'', FIN
close 1013: close 1002 b'', FIN
close 1014: close 1002 b'', FIN
close 4000: close 4000 b'', FIN
8192 bytes of binary: text b'8192 bytes'
8193: close 1009 b'No async message support and buffer too small. Buffer size: [8,192], Message size: [8,193]'
24576 bytes of text, in 8192 characters: text b'8192 characters'
16388 bytes of text, in 4097: close 1009 b'The decoded text message was too big for the output buffer and the endpoint does not support partial messages'"
from raw import *

for _ in range(300):  # Java compiles it first.
    try:
        socket.create_connection(("127.0.0.1", 16844)).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
print("it throws:", Raw(16844).send(TEXT, b"fail").rest())
for code in (1012, 1013, 1014, 4000):
    print(f"close {code}:", Raw(16844).close(code).rest())
print("8192 bytes of binary:", Raw(16844).send(BINARY, b"a" * 8192).read())
print("8193:", Raw(16844).send(BINARY, b"a" * 8193).read())
print("24576 bytes of text, in 8192 characters:", Raw(16844).send(TEXT, "\u20ac".encode() * 8192).read())
print("16388 bytes of text, in 4097:", Raw(16844).send(TEXT, "\U0001f600".encode() * 4097).read())
PY
