// gorilla/websocket: its Upgrader with the defaults, and pings as its chat example sends them.
package main

import (
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

const pongWait = 60 * time.Second

func serve(upgrader *websocket.Upgrader) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if status, err := strconv.Atoi(r.URL.Path[1:]); err == nil {
			if status == 500 {
				panic("as asked")
			}
			w.Header().Set("Location", "/")
			http.Error(w, "not here", status)
			return
		}
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(pongWait))
		c.SetPongHandler(func(string) error { return c.SetReadDeadline(time.Now().Add(pongWait)) })
		done := make(chan struct{})
		defer close(done)
		go func() {
			ticker := time.NewTicker(pongWait * 9 / 10)
			defer ticker.Stop()
			for {
				select {
				case <-done:
					return
				case <-ticker.C:
					c.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
				}
			}
		}()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil {
				return
			}
			switch string(data) {
			case "close":
				c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "bye"), time.Now().Add(time.Second))
			case "raise":
				panic("as asked")
			default:
				c.WriteMessage(kind, data)
			}
		}
	}
}

func main() {
	http.HandleFunc("/", serve(&websocket.Upgrader{Subprotocols: []string{"chat"}}))
	http.HandleFunc("/compressed", serve(&websocket.Upgrader{Subprotocols: []string{"chat"}, EnableCompression: true}))
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
