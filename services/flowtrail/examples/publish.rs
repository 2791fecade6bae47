//! Publishes an audit event and a traffic report from a service of your own.

use std::io::Write;

use async_nats::{ConnectOptions, HeaderMap, ServerAddr};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), async_nats::Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "nats://127.0.0.1:4222".to_owned());
    let server: ServerAddr = url.parse()?;
    // The library takes user and password apart from the server.
    let options = match (server.username(), server.password()) {
        (Some(user), Some(password)) => ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned()),
        (_, _) => ConnectOptions::new(),
    };
    let jetstream = async_nats::jetstream::new(options.connect(server).await?);

    let audit = event(
        "invoice-42-paid",
        "flowtrail.audit.recorded.v1",
        &json!({
            "event_type": "invoice.pay", "actor_id": "alice", "resource_type": "invoice", "resource_id": "42",
        }),
    );
    let traffic = event(
        "flow-7-start",
        "flowtrail.traffic.reported.v1",
        &json!({
            "flow_id": "7", "type": "TYPE_START", "protocol": 6, "direction": "EGRESS",
            "source": {"address": "10.0.0.1:51820"}, "destination": {"address": "10.0.0.2:443"},
        }),
    );
    for (subject, event) in
        [("flowtrail.v1.audit.main.billing", audit), ("flowtrail.v1.traffic.main.gateway-1", traffic)]
    {
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", "application/cloudevents+json");
        headers.insert("Nats-Msg-Id", format!("main:{}", event["id"].as_str().unwrap_or_default()));
        let stored = jetstream.publish_with_headers(subject, headers, event.to_string().into()).await?.await?;
        writeln!(std::io::stdout(), "{} is number {} in {}", event["id"], stored.sequence, stored.stream)?;
    }
    Ok(())
}

fn event(id: &str, kind: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/billing", "type": kind, "time": "2024-01-31T12:00:00Z", "data": data})
}
