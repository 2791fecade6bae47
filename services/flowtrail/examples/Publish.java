import io.nats.client.Nats;
import io.nats.client.impl.Headers;

/** Publishes an audit event from a service of your own. */
class Publish {
    public static void main(String[] arguments) throws Exception {
        var url = arguments.length > 0 ? arguments[0] : "nats://127.0.0.1:4222";
        var event = """
            {"specversion": "1.0", "id": "invoice-45-paid", "source": "/billing",
             "type": "flowtrail.audit.recorded.v1", "time": "2024-01-31T12:00:00Z",
             "data": {"event_type": "invoice.pay", "actor_id": "dave", "resource_type": "invoice", "resource_id": "45"}}
            """;
        try (var client = Nats.connect(url)) {
            var headers = new Headers();
            headers.add("Content-Type", "application/cloudevents+json");
            headers.add("Nats-Msg-Id", "main:invoice-45-paid");
            var stored = client.jetStream().publish("flowtrail.v1.audit.main.billing", headers, event.getBytes("UTF-8"));
            System.out.println("invoice-45-paid is number " + stored.getSeqno() + " in " + stored.getStream());
        }
    }
}
