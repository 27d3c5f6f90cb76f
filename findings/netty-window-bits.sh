#!/usr/bin/env bash
# Without the optional library jzlib, Netty accepts a smaller compression window and then sends nothing.
#
# A good guess: a server that cannot compress with the window of an offer declines the offer (RFC 7692 section 7.1.2.1).
# Java's own zlib supports only a window of 32 KiB. Netty still answers `server_max_window_bits=9`, and fails at its
# first message. Each message of the application is lost, pings are answered, and nothing is closed. Needs Java 17's
# JDK.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libnetty-java=1:4.1.48-7+deb12u2 libjzlib-java=1.1.3-2
cat >"$work/Echo.java" <<'JAVA'
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http.websocketx.extensions.compression.WebSocketServerCompressionHandler;

public class Echo {
    public static void main(String[] arguments) throws Exception {
        new ServerBootstrap().group(new NioEventLoopGroup()).channel(NioServerSocketChannel.class).childHandler(new ChannelInitializer<SocketChannel>() {
            @Override
            protected void initChannel(SocketChannel channel) {
                channel.pipeline().addLast(new HttpServerCodec(), new HttpObjectAggregator(65536), new WebSocketServerCompressionHandler(),
                    new WebSocketServerProtocolHandler("/", null, true), new SimpleChannelInboundHandler<WebSocketFrame>() {
                        @Override
                        protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
                            context.writeAndFlush(new TextWebSocketFrame("news"));
                        }
                    });
            }
        }).bind("127.0.0.1", Integer.parseInt(arguments[0])).sync();
    }
}
JAVA
jars=$(printf '%s:' "$work"/debian/usr/share/java/netty-*.jar)
serve java -cp "$jars" Echo.java 16849
serve java -cp "$jars:$work/debian/usr/share/java/jzlib.jar" Echo.java 16850

python3 - <<'PY' | compare "without jzlib, no size offered: ['permessage-deflate'], then a compressed message; a ping: pong b'a'
without jzlib, 9 bits offered: ['permessage-deflate;server_max_window_bits=9'], then silence; a ping: pong b'a'
with jzlib, 9 bits offered: ['permessage-deflate;server_max_window_bits=9'], then a compressed message; a ping: pong b'a'"
from raw import *

for port in (16849, 16850):
    for _ in range(300):  # Java compiles it first.
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
for words, port, size in (
    ("without jzlib, no size", 16849, ""),
    ("without jzlib, 9 bits", 16849, "; server_max_window_bits=9"),
    ("with jzlib, 9 bits", 16850, "; server_max_window_bits=9"),
):
    client = Raw(port, headers=[f"Sec-WebSocket-Extensions: permessage-deflate{size}"])
    message = client.send(TEXT, b"hello").read()
    message = "a compressed message" if message.startswith("text with reserved bits") else message
    print(f"{words} offered: {client.header('Sec-WebSocket-Extensions')}, then {message};", "a ping:", client.send(PING, b"a").read())
PY
