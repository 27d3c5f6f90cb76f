// nhooyr.io/websocket: Accept with the defaults, but no check of Origin's port. It sends no pings by itself.
package main

import (
	"context"
	"net/http"
	"os"
	"strconv"

	"nhooyr.io/websocket"
)

func serve(w http.ResponseWriter, r *http.Request) {
	if status, err := strconv.Atoi(r.URL.Path[1:]); err == nil {
		if status == 500 {
			panic("as asked")
		}
		w.Header().Set("Location", "/")
		http.Error(w, "not here", status)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
	if err != nil {
		return
	}
	defer c.Close(websocket.StatusInternalError, "")
	for {
		kind, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		switch string(data) {
		case "close":
			c.Close(4001, "bye")
			return
		case "raise":
			panic("as asked")
		default:
			c.Write(context.Background(), kind, data)
		}
	}
}

func main() {
	http.HandleFunc("/", serve)
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
