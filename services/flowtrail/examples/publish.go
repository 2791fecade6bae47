// Publishes an audit event from a service of your own.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/nats-io/nats.go"
)

func main() {
	url := "nats://127.0.0.1:4222"
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	client, err := nats.Connect(url)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	stream, err := client.JetStream()
	if err != nil {
		log.Fatal(err)
	}
	event, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": "invoice-46-paid", "source": "/billing",
		"type": "flowtrail.audit.recorded.v1", "time": "2024-01-31T12:00:00Z",
		"data": map[string]any{"event_type": "invoice.pay", "actor_id": "erin", "resource_type": "invoice", "resource_id": "46"},
	})
	if err != nil {
		log.Fatal(err)
	}
	stored, err := stream.PublishMsg(&nats.Msg{
		Subject: "flowtrail.v1.audit.main.billing",
		Header:  nats.Header{"Content-Type": {"application/cloudevents+json"}, "Nats-Msg-Id": {"main:invoice-46-paid"}},
		Data:    event,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("invoice-46-paid is number %d in %s\n", stored.Sequence, stored.Stream)
}
