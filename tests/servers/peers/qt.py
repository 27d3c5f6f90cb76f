"""Qt 5: a QWebSocketServer."""

import sys

from PyQt5.QtCore import QCoreApplication
from PyQt5.QtNetwork import QHostAddress
from PyQt5.QtWebSockets import QWebSocketServer

application = QCoreApplication([])
server = QWebSocketServer("echo", QWebSocketServer.NonSecureMode)
clients = []


def accept():
    client = server.nextPendingConnection()
    clients.append(client)
    client.binaryMessageReceived.connect(client.sendBinaryMessage)
    client.textMessageReceived.connect(lambda text: client.close(4001, "bye") if text == "close" else client.sendTextMessage(text))


server.newConnection.connect(accept)
server.listen(QHostAddress("127.0.0.1"), int(sys.argv[1]))
application.exec()
