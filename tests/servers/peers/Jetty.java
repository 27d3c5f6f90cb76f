// Jetty 9.4: a WebSocketServlet with its defaults.
import java.io.IOException;
import java.nio.ByteBuffer;
import javax.servlet.ServletException;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.servlet.WebSocketServlet;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

public class Jetty {
    public static class Echo extends WebSocketAdapter {
        @Override
        public void onWebSocketText(String text) {
            if (text.equals("raise")) throw new IllegalStateException("as asked");
            try {
                if (text.equals("close")) getSession().close(4001, "bye");
                else getRemote().sendString(text);
            } catch (IOException gone) {
                // The client has left.
            }
        }

        @Override
        public void onWebSocketBinary(byte[] bytes, int offset, int length) {
            try {
                getRemote().sendBytes(ByteBuffer.wrap(bytes, offset, length));
            } catch (IOException gone) {
                // The client has left.
            }
        }
    }

    public static class Application extends WebSocketServlet {
        @Override
        public void configure(WebSocketServletFactory factory) {
            factory.setCreator((request, response) -> {
                if (request.getSubProtocols().contains("chat")) response.setAcceptedSubProtocol("chat");
                return new Echo();
            });
        }

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) throws ServletException, IOException {
            switch (request.getRequestURI()) {
                case "/" -> super.service(request, response);
                case "/302" -> response.sendRedirect("/");
                case "/500" -> throw new ServletException("as asked");
                default -> response.sendError(Integer.parseInt(request.getRequestURI().substring(1)));
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new java.net.InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(new ServletHolder(new Application()), "/*");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
