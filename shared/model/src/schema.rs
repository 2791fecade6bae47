//! The JSON Schema of every event's `data`, with one golden example each.

mod page;

use schemars::{Schema, schema_for};
use serde_json::{Value, json};

pub use page::fields_page;

use crate::{access, audit, dead_letter, delivery, directory, integration, search, traffic};

/// What `schemas/events/<name>.json` describes.
#[derive(Debug)]
pub struct EventSchema {
    /// `<family>.<event>`.
    pub name: &'static str,
    /// The CloudEvents types whose data it is.
    pub event_types: Vec<&'static str>,
    /// The schema, generated from the type that reads the data.
    pub schema: Schema,
    /// Data that was once published and must stay readable.
    pub golden: Value,
}

/// Every event's schema, in the order of the files.
#[must_use]
pub fn all() -> Vec<EventSchema> {
    let entry = |name, event_types: &[&'static str], schema, golden| EventSchema {
        name,
        event_types: event_types.to_vec(),
        schema,
        golden,
    };
    let by = json!({ "id": "u1", "name": "Alice", "email": "alice@example.com" });
    let sealed = json!({ "text": "datadoghq.com" });
    let config = json!({ "site": sealed, "api_key": { "sealed": "bm9uY2UrY2lwaGVydGV4dA==" } });
    let saved = json!({
        "name": "Denied by prod", "family": "audit", "q": "status:denied resource:prod*", "from": "now-7d", "to": null,
        "columns": ["time", "actor", "activity"], "shared": true,
    });
    let directory_types = directory::Kind::ALL.map(directory::Kind::event_type);
    vec![
        entry(
            "access.account_created",
            &[access::ACCOUNT_CREATED],
            schema_for!(access::AccountCreated),
            json!({ "name": "Main", "by": by }),
        ),
        entry(
            "access.person_erased",
            &[access::PERSON_ERASED],
            schema_for!(access::PersonErased),
            json!({ "person": {
                "key": "6b657920666f72206f6e652065726173757265206f66206f6e6520706572736f",
                "ids": [{ "length": 17, "sum": 1_181_783_497, "digest": "2f7e1cf2c9e0dc3f64a8e8a0f5c94d0a" }], "details": [],
            }, "by": by }),
        ),
        entry(
            "access.token_created",
            &[access::TOKEN_CREATED],
            schema_for!(access::TokenCreated),
            json!({
                "name": "ci", "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "scopes": ["audit:read", "traffic:read"], "user_id": null, "expires_at": "2030-01-01T00:00:00Z", "by": by,
            }),
        ),
        entry(
            "access.token_deleted",
            &[access::TOKEN_DELETED],
            schema_for!(access::TokenDeleted),
            json!({ "name": "ci", "by": by }),
        ),
        entry(
            "access.user_created",
            &[access::USER_CREATED],
            schema_for!(access::UserCreated),
            json!({ "email": "alice@example.com", "name": "Alice", "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "by": by }),
        ),
        entry(
            "access.user_changed",
            &[access::USER_CHANGED],
            schema_for!(access::UserChanged),
            json!({ "email": "alice@example.com", "scopes": ["audit:read"], "by": by }),
        ),
        entry(
            "access.user_deleted",
            &[access::USER_DELETED],
            schema_for!(access::UserDeleted),
            json!({ "email": "alice@example.com", "by": by }),
        ),
        entry(
            "audit.recorded",
            &[audit::RECORDED],
            schema_for!(audit::Fields),
            json!({
                "event_type": "route.add", "actor_id": "u1", "resource_type": "route", "resource_id": "r1",
                "meta": { "name": "my route", "network_range": "10.64.0.0/24" }, "ip_address": "203.0.113.7", "http_status": 200, "latency_ms": 12.5,
            }),
        ),
        entry(
            "dead_letter.recorded",
            &[dead_letter::RECORDED],
            schema_for!(dead_letter::DeadLetter),
            json!({
                "view": "audit", "stream": "FLOWTRAIL_AUDIT", "sequence": 7, "index": 0, "subject": "flowtrail.v1.audit.main.billing",
                "event_id": "e1", "reason": "data.event_type: is missing (or activity_code, its other name)",
            }),
        ),
        entry(
            "dead_letter.redriven",
            &[dead_letter::REDRIVEN],
            schema_for!(dead_letter::Redriven),
            json!({ "letter": 3, "outcome": "accepted", "position": "FLOWTRAIL_AUDIT:42" }),
        ),
        entry(
            "delivery.step",
            &delivery::Step::ALL.map(delivery::Step::event_type),
            schema_for!(delivery::Data),
            json!({
                "failure": { "time": "2026-01-31T12:00:00Z", "status": 503, "reason": "the receiver answered 503" },
                "state": {
                    "orders": 7, "next": { "FLOWTRAIL_AUDIT": { "sequence": 41, "index": 0 } },
                    "plan": {
                        "stream": "FLOWTRAIL_AUDIT", "first": { "sequence": 41, "index": 0 },
                        "last": { "sequence": 43, "index": 2 }, "version": 5,
                    },
                    "standing": { "failing": { "since": "2026-01-31T12:00:00Z" } },
                    "last_success": "2026-01-31T11:59:00Z", "last_error": null,
                    "delivered": 40, "failed": 3, "dead_lettered": 1, "redrive": { "after": 0, "until": 2 }, "redriven": 0,
                    "missing": [{ "stream": "FLOWTRAIL_TRAFFIC", "first": 1, "last": 9 }],
                },
            }),
        ),
        entry(
            "directory.entry",
            &directory_types,
            schema_for!(directory::Entry),
            json!({ "id": "p1", "name": "laptop", "os": "Linux", "dns_label": "laptop.mesh", "address": "100.64.0.1", "type": "PEER", "geo_location": { "city_name": "Berlin", "country_code": "DE" } }),
        ),
        entry(
            "integration.created",
            &[integration::CREATED],
            schema_for!(integration::Created),
            json!({ "platform": "datadog", "config": config, "enabled": true, "by": by }),
        ),
        entry(
            "integration.deleted",
            &[integration::DELETED],
            schema_for!(integration::Deleted),
            json!({ "platform": "datadog", "by": by }),
        ),
        entry(
            "integration.replay_requested",
            &[integration::REPLAY_REQUESTED],
            schema_for!(integration::ReplayRequested),
            json!({ "platform": "datadog", "from": { "time": "2026-01-31T12:00:00Z" }, "by": by }),
        ),
        entry(
            "integration.steered",
            &[integration::PAUSED, integration::RESUMED, integration::REDRIVE_REQUESTED],
            schema_for!(integration::Steered),
            json!({ "platform": "datadog", "by": by }),
        ),
        entry(
            "integration.updated",
            &[integration::UPDATED],
            schema_for!(integration::Updated),
            json!({ "platform": "datadog", "config": config, "enabled": false, "changed": ["enabled"], "by": by }),
        ),
        entry("search.created", &[search::CREATED], schema_for!(search::Created), json!({ "search": saved, "by": by })),
        entry("search.deleted", &[search::DELETED], schema_for!(search::Deleted), json!({ "by": by })),
        entry(
            "search.updated",
            &[search::UPDATED],
            schema_for!(search::Updated),
            json!({ "search": saved, "changed": ["name", "shared"], "by": by }),
        ),
        entry(
            "traffic.reported",
            &[traffic::REPORTED],
            schema_for!(traffic::Reported),
            json!({
                "flow_id": "f1", "type": "TYPE_START", "reporter_id": "p1", "direction": "EGRESS", "protocol": 6,
                "source": { "id": "p1", "type": "PEER", "name": "laptop", "address": "100.64.0.1:51820" },
                "destination": { "id": "r1", "type": "HOST_RESOURCE", "address": "10.0.0.1:443" }, "rx_bytes": 1234, "tx_bytes": 99,
            }),
        ),
    ]
}
