//! Where events are published to, and the list they become visible in.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bus::{Bus, Outgoing};
use model::log::{AccountId, LogPosition, Subject};

use crate::client::{AUDIT, Client, TRAFFIC};
use crate::system::System;

/// However far the views are behind, something is wrong after so long.
const VISIBLE_WITHIN: Duration = Duration::from_secs(1800);
/// What became of events that were published.
pub(crate) struct Arrived {
    /// How many came into the list.
    pub(crate) events: u64,
    /// From the first publish until the log has acknowledged the last message.
    pub(crate) acknowledged: Duration,
    /// From the first publish until the list has the last event.
    pub(crate) visible: Duration,
}

/// The account that the first start makes.
const ACCOUNT: &str = "main";
const SOURCE: &str = "bench";

pub(crate) struct Target {
    pub(crate) subject: Subject,
    pub(crate) list: &'static str,
}

impl Target {
    pub(crate) fn traffic() -> anyhow::Result<Self> {
        Ok(Self { subject: Subject::traffic(&account()?, SOURCE), list: TRAFFIC })
    }

    pub(crate) fn audit() -> anyhow::Result<Self> {
        Ok(Self { subject: Subject::audit(&account()?, SOURCE), list: AUDIT })
    }

    /// Publishes messages, so many unacknowledged at most, and waits until the list has them.
    pub(crate) async fn publish(
        &self,
        system: &System<'_>,
        in_flight: usize,
        messages: impl Iterator<Item = Outgoing>,
    ) -> anyhow::Result<Arrived> {
        let client = system.client()?;
        let before = self.visible(&system.bus, &client).await?;
        let started = Instant::now();
        let mut publisher = system.bus.publisher(in_flight);
        for message in messages {
            publisher.publish(message).await?;
        }
        publisher.finish().await?;
        let acknowledged = started.elapsed();
        let after = self.visible(&system.bus, &client).await?;
        Ok(Arrived { events: after - before, acknowledged, visible: started.elapsed() })
    }

    /// Waits until the list has everything that the log holds now; gives its total.
    pub(crate) async fn visible(&self, bus: &Bus, client: &Client) -> anyhow::Result<u64> {
        let stream = self.subject.stream();
        let last = LogPosition { stream, sequence: bus.state(stream).await?.last_sequence };
        let started = Instant::now();
        loop {
            // It is answered when the view is there, or after two seconds.
            let answer = client.get_at_least(self.list, last).await?;
            if answer.has(last) {
                return answer.total();
            }
            ensure!(started.elapsed() < VISIBLE_WITHIN, "the list has not everything after {VISIBLE_WITHIN:?}");
        }
    }
}

fn account() -> anyhow::Result<AccountId> {
    AccountId::parse(ACCOUNT).context("name the account")
}
