/* Connects with a client certificate, to a server whose key is known: client_certificate URL CA CERTIFICATE KEY PIN
 *
 * CA, CERTIFICATE and KEY are PEM files. PIN is the SHA-256 digest of the server's public key in base64:
 *   openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
 */
#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>
#include <semaphore.h>
#include <stdio.h>

static sem_t ended;
static volatile int failed;

static void onOpen(struct WebSocket *client, WebSocket_OpenResult open)
{
    (void)open;
    printf("open: the server has the pinned key, and takes the certificate\n");
    OH_WebSocketClient_Close(client, (WebSocket_CloseOption){ 1000, "done" });
}

static void onError(struct WebSocket *client, WebSocket_ErrorResult error)
{
    (void)client;
    printf("%s\n", error.errorMessage);
    failed = 1;
    sem_post(&ended);
}

static void onClose(struct WebSocket *client, WebSocket_CloseResult close)
{
    (void)client, (void)close;
    sem_post(&ended);
}

int main(int argc, char **argv)
{
    struct WebSocket *client;
    struct NWS_CertificatePinning pin = { NULL, 0, NULL };
    struct NWS_Options options;
    if (argc != 6) {
        fprintf(stderr, "usage: client_certificate URL CA CERTIFICATE KEY PIN\n");
        return 2;
    }
    sem_init(&ended, 0, 0);
    client = OH_WebSocketClient_Constructor(onOpen, NULL, onError, onClose);
    pin.publicKeyHash = argv[5];
    NWS_InitOptions(&options, sizeof options);
    options.caPath = argv[2];
    options.clientCertPath = argv[3];
    options.clientKeyPath = argv[4];
    options.certificatePinning = &pin;
    if (NWS_SetOptions(client, &options) != WEBSOCKET_OK ||
        OH_WebSocketClient_Connect(client, argv[1], (WebSocket_RequestOptions){ NULL }) != WEBSOCKET_OK) {
        fprintf(stderr, "%s\n", NWS_LastErrorMessage());
        return 2;
    }
    sem_wait(&ended);
    OH_WebSocketClient_Destroy(client);
    return failed;
}
