// Tomcat 10.1, embedded: an annotated endpoint with the defaults; its Connector ends with the process, as catalina.sh stops it.
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.CloseReason;
import jakarta.websocket.OnMessage;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.catalina.Context;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.server.WsSci;

public class Tomcat {
    @ServerEndpoint(value = "/", subprotocols = {"chat"})
    public static class Echo {
        @OnMessage
        public void text(Session session, String text) throws IOException {
            if (text.equals("raise")) throw new IllegalStateException("as asked");
            if (text.equals("close")) session.close(new CloseReason(CloseReason.CloseCodes.getCloseCode(4001), "bye"));
            else session.getBasicRemote().sendText(text);
        }

        @OnMessage
        public void binary(Session session, ByteBuffer bytes) throws IOException {
            session.getBasicRemote().sendBinary(bytes);
        }
    }

    public static class Refuse extends HttpFilter {
        @Override
        protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain) throws IOException, ServletException {
            switch (request.getRequestURI()) {
                case "/" -> chain.doFilter(request, response);
                case "/302" -> response.sendRedirect("/");
                case "/500" -> throw new ServletException("as asked");
                default -> response.sendError(Integer.parseInt(request.getRequestURI().substring(1)));
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        org.apache.catalina.startup.Tomcat server = new org.apache.catalina.startup.Tomcat();
        server.setBaseDir(".");
        server.setHostname("127.0.0.1");
        server.setPort(Integer.parseInt(arguments[0]));
        server.getConnector().setProperty("address", "127.0.0.1");
        Context context = server.addContext("", null);
        FilterDef filter = new FilterDef();
        filter.setFilterName("refuse");
        filter.setFilter(new Refuse());
        context.addFilterDef(filter);
        FilterMap map = new FilterMap();
        map.setFilterName("refuse");
        map.addURLPattern("/*");
        context.addFilterMap(map);
        context.addServletContainerInitializer(new WsSci(), Set.of(Echo.class));
        org.apache.catalina.startup.Tomcat.addServlet(context, "default", new org.apache.catalina.servlets.DefaultServlet());
        context.addServletMappingDecoded("/", "default");
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                server.stop();
            } catch (Exception failure) {
                failure.printStackTrace();
            }
        }));
        server.getServer().await();
    }
}
