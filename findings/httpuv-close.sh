#!/usr/bin/env bash
# httpuv, the server of R and Shiny, drops its answers to messages that arrive together with a close frame.
#
# A good guess: a server may send until it has answered the close frame, and answers it by one. httpuv ends TCP at the
# close frame, without another frame. The program still gets each message, and its answers go nowhere.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian r-cran-httpuv=1.6.9+dfsg-1
cat >"$work/echo.R" <<'R'
library(httpuv)
open <- function(client) {
  count <- 0
  client$onMessage(function(binary, message) {
    count <<- count + 1
    if (message == "close") client$close(4001L, "bye") else client$send(message)
  })
  client$onClose(function() cat("closed after", count, "messages\n"))
}
started <- startServer("127.0.0.1", 16922, list(onWSOpen = open))
while (TRUE) service(100)
R
usr=$work/debian/usr
export work R_HOME=$usr/lib/R R_LIBS=$usr/lib/R/site-library:$usr/lib/R/library EDITOR=vi PAGER=cat
export LD_LIBRARY_PATH=$R_HOME/lib:$LD_LIBRARY_PATH:$usr/lib/x86_64-linux-gnu/blas:$usr/lib/x86_64-linux-gnu/lapack
serve "$R_HOME/bin/exec/R" --no-echo --vanilla -f echo.R

python3 - <<'PY' | compare "three messages: text b'1', text b'2', text b'3', silence
three messages and close 1000: FIN
what the program saw: closed after 3 messages
a close of the program: close 4001 b'bye', silence"
from raw import *

messages = [(TEXT, number) for number in (b"1", b"2", b"3")]
still_open = Raw(16922).together(*messages)
print("three messages:", still_open.rest())
print("three messages and close 1000:", Raw(16922).together(*messages, (CLOSE, struct.pack("!H", 1000))).rest())
log = f"{os.environ['work']}/server.log"
while "closed" not in open(log).read():
    time.sleep(0.1)
print("what the program saw:", [line for line in open(log).read().split("\n") if "closed" in line][0])
client = Raw(16922).together((TEXT, b"close"))
print("a close of the program:", client.rest())
PY
