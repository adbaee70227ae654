// A receiver on Go's standard library: WEBHOOK_SECRET=whsec_… go run receiver.go
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	tolerance    = 5 * time.Minute
	maxBodyBytes = 2 << 20
)

var (
	key   []byte
	inbox = setting("INBOX", "inbox")
)

type envelope struct {
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// isGenuine says whether the sender knows the secret, and has made this request within the last minutes.
func isGenuine(header http.Header, body []byte) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if id == "" || err != nil || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	// There are two while one secret replaces another.
	for _, given := range strings.Split(header.Get("webhook-signature"), " ") {
		if hmac.Equal([]byte(given), []byte(expected)) {
			return true
		}
	}
	return false
}

// keep keeps an event on disk, under a name that the same event has again, and says whether it is new.
func keep(name string, body []byte) (bool, error) {
	draft, err := os.CreateTemp(inbox, "*.draft")
	if err != nil {
		return false, err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(body)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return false, err
	}
	// A link is made as a whole, or not at all where there is one.
	err = os.Link(draft.Name(), filepath.Join(inbox, name+".json"))
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

// handle does what the event is for; it may fail and be done again.
func handle(name string) {
	body, err := os.ReadFile(filepath.Join(inbox, name+".json"))
	var event envelope
	if err = errors.Join(err, json.Unmarshal(body, &event)); err != nil {
		log.Print(err)
		return
	}
	fmt.Printf("handled %s %s\n", event.Event, event.Data)
	if err = os.WriteFile(filepath.Join(inbox, name+".handled"), nil, 0o600); err != nil {
		log.Print(err)
	}
}

func receive(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBodyBytes))
	if err != nil {
		response.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !isGenuine(request.Header, body) {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	var event envelope
	if json.Unmarshal(body, &event) != nil || event.Event == "" {
		response.WriteHeader(http.StatusBadRequest)
		return
	}
	// An id is unique within its type.
	sum := sha256.Sum256([]byte(event.Event + "/" + request.Header.Get("webhook-id")))
	name := hex.EncodeToString(sum[:])
	isNew, err := keep(name, body)
	if err != nil {
		log.Print(err)
		response.WriteHeader(http.StatusInternalServerError)
		return
	}
	response.WriteHeader(http.StatusNoContent)
	if isNew {
		go handle(name)
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	secret, isSecret := strings.CutPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_")
	decoded, err := base64.StdEncoding.DecodeString(secret)
	if !isSecret || err != nil {
		log.Fatal("WEBHOOK_SECRET: expected whsec_…")
	}
	key = decoded
	if err := os.MkdirAll(inbox, 0o700); err != nil {
		log.Fatal(err)
	}
	// What an earlier run has kept, and had no time for.
	kept, _ := filepath.Glob(filepath.Join(inbox, "*.json"))
	for _, file := range kept {
		name := strings.TrimSuffix(file, ".json")
		if _, err := os.Stat(name + ".handled"); errors.Is(err, fs.ErrNotExist) {
			handle(filepath.Base(name))
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+setting("PORT", "8000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listens on http://%s/\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(receive)))
}
