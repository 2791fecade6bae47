import asyncio, json, sys
import nats

async def main(url="nats://127.0.0.1:4222"):
    client = await nats.connect(url)
    event = {
        "specversion": "1.0", "id": "invoice-43-paid", "source": "/billing",
        "type": "flowtrail.audit.recorded.v1", "time": "2024-01-31T12:00:00Z",
        "data": {"event_type": "invoice.pay", "actor_id": "bob", "resource_type": "invoice", "resource_id": "43"},
    }
    headers = {"Content-Type": "application/cloudevents+json", "Nats-Msg-Id": "main:" + event["id"]}
    stored = await client.jetstream().publish("flowtrail.v1.audit.main.billing", json.dumps(event).encode(), headers=headers)
    print(f'{event["id"]} is number {stored.seq} in {stored.stream}')
    await client.close()

asyncio.run(main(*sys.argv[1:]))
