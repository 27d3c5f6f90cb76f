// The class `web.WebSocket` where a library of the web asks for the one that TypeScript's lib.dom declares. Only type-checked, beside lib.dom.
import webSocket, { web } from '../../package/src/main/cpp/types/libnet_websocket/index';

// As a global, and where the constructor is an option: socket.io-client, mqtt, graphql-ws and others take it so.
const constructor: typeof WebSocket = web.WebSocket;
const byDefault: typeof WebSocket = webSocket.web.WebSocket;
const made: WebSocket = new constructor('wss://example.org/chat', ['one', 'two']);
const ours: web.WebSocket = new web.WebSocket(new URL('wss://example.org/chat'), 'one', { header: { 'X-Mine': 'yes' } });
const socket: WebSocket = ours;

// As such libraries declare what they need of a socket.
interface Options {
  createWebsocket?: (url: string, protocols: string[]) => WebSocket;
  webSocketImpl?: unknown;
  WebSocket?: { new (url: string | URL, protocols?: string | string[]): WebSocket; readonly OPEN: number };
}
export const options: Options = {
  createWebsocket: (url, protocols) => new web.WebSocket(url, protocols),
  webSocketImpl: web.WebSocket,
  WebSocket: web.WebSocket,
};

socket.onmessage = (event: MessageEvent<string>) => console.log(event.data, event.origin);
socket.addEventListener('close', (event: CloseEvent) => console.log(event.code, event.reason, event.wasClean), { once: true });
ours.addEventListener('message', (event: web.MessageEvent) => console.log(event.data));
ours.addEventListener('close', (event: web.CloseEvent) => console.log(event.code));
ours.addEventListener('open', { handleEvent: (event: web.Event) => console.log(event.type) });
const target: EventTarget = ours;
const states: number[] = [constructor.CONNECTING, made.OPEN, web.WebSocket.CLOSING, ours.CLOSED];
web.install(globalThis);
const stream = new web.WebSocketStream(new URL('wss://example.org/chat'), { protocols: ['chat'], signal: new AbortController().signal });
const messages = stream.opened.then(({ readable }) => (readable as ReadableStream<string | Uint8Array>).getReader().read());
stream.closed.then(({ closeCode, reason }) => console.log(closeCode, reason));
stream.close(new web.WebSocketError('over', { closeCode: 4000 }));

// @ts-expect-error The attribute is a function of the event or null.
ours.onopen = 'function';
// @ts-expect-error The url is a text.
new web.WebSocket(7);
// @ts-expect-error Only these two.
ours.binaryType = 'nodebuffer';
// @ts-expect-error The sub-protocols are an array.
new web.WebSocketStream('wss://example.org', { protocols: 'chat' });

export { byDefault, made, messages, socket, states, target };
