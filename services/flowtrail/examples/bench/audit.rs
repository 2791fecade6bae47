//! Audit events of about 1 kB each: who changed what in the same company.

use model::audit::Fields;
use serde_json::{Map, Value};

use crate::events::Event;
use crate::random::Random;
use crate::traffic;
use crate::world::World;

/// The likeliest first.
pub(crate) const CODES: [&str; 12] = [
    "user.peer.add",
    "dashboard.login",
    "peer.login.expire",
    "user.join",
    "policy.update",
    "group.add",
    "route.add",
    "route.update",
    "setupkey.add",
    "rule.add",
    "route.delete",
    "user.peer.delete",
];

/// So many audit events, spread over 30 days.
pub(crate) fn events(world: &World, count: u64) -> impl Iterator<Item = Event<Fields>> + Send + use<'_> {
    let mut random = Random::new(!count);
    (0..count).map(move |number| {
        // Some 720 hours; equal times are ordered by id.
        let hour = number * 720 / count;
        let time = traffic::hour((hour / 24) as u32, (hour % 24) as u32);
        Event { id: format!("audit-{number}"), time, data: recorded(world, &mut random) }
    })
}

fn recorded(world: &World, random: &mut Random) -> Fields {
    let (user, peer) = (random.early_of(&world.users, 2), &random.one_of(&world.peers).endpoint);
    let code = random.early_of(&CODES, 2);
    let is_denied = random.percent(4);
    let text = |text: &str| Some(text.to_owned());
    let value = |text: &Option<String>| Value::from(text.clone().unwrap_or_default());
    let meta = [("name", value(&peer.name)), ("ip", value(&peer.address)), ("peer_id", value(&peer.id))];
    Fields {
        event_type: text(code),
        status: text(if is_denied { "denied" } else { "success" }),
        source: text("api"),
        actor_type: text("user"),
        actor_id: user.id.clone(),
        actor_name: user.name.clone(),
        actor_email: user.email.clone(),
        resource_type: text("peer"),
        resource_id: peer.id.clone(),
        meta: Some(
            meta.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<String, Value>>().into(),
        ),
        session_id: Some(random.id()),
        request_id: Some(random.uuid()),
        correlation_id: Some(random.uuid()),
        http_method: text("POST"),
        path: Some(format!("/v1/{}", code.replace('.', "/"))),
        http_status: Some(if is_denied { 403 } else { 200 }),
        latency_ms: (random.small(900.0) as f64).try_into().ok(),
        ip_address: peer.address.clone(),
        user_agent: text("dashboard/2.9 (x86_64; Linux) like many others"),
        node_ip: Some(format!("10.0.0.{}", random.below(12) + 1)),
        worker_id: Some(format!("worker-{}", random.below(8))),
        error_message: is_denied.then(|| "permission denied".to_owned()),
        ..Fields::default()
    }
}
