//! Follows the integrations and gives each its keeper.

use std::collections::HashMap;
use std::time::Duration;

use bus::{Bus, ConsumeError, Message};
use feed::read::events_in;
use model::event::Event;
use model::log::{Stream, Subject};
use runtime::metrics::durations;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::delivery::Keeper;
use crate::desired::{Desired, Followed};
use crate::live::{IntegrationId, LiveDeliveries, LiveDelivery, LiveState};
use crate::receiver::Receivers;
use crate::settings::Settings;

const BATCH_MESSAGES: usize = 1000;
const BATCH_BYTES: usize = 4 << 20;
/// How often it is looked whether the end of the stream is reached.
const PATIENCE: Duration = Duration::from_millis(250);
/// The pause before a log that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the integrations.
pub(crate) struct Supervisor {
    bus: Bus,
    receivers: Receivers,
    settings: Settings,
    live: LiveDeliveries,
    followed: HashMap<IntegrationId, Followed>,
    keepers: HashMap<IntegrationId, watch::Sender<Option<Desired>>>,
    tasks: JoinSet<()>,
}

impl Supervisor {
    pub(crate) fn new(receivers: Receivers, settings: Settings, live: LiveDeliveries) -> Self {
        let bus = receivers.bus.clone();
        let (followed, keepers, tasks) = (HashMap::new(), HashMap::new(), JoinSet::new());
        Self { bus, receivers, settings, live, followed, keepers, tasks }
    }

    /// Keeps every delivery until `stop`, then lets them end.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(failure) = self.follow(&stop).await {
                error!(%failure, "the integrations cannot be followed, beginning again");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            self.followed.clear();
        }
        while self.tasks.join_next().await.is_some() {}
    }

    async fn follow(&mut self, stop: &CancellationToken) -> Result<(), ConsumeError> {
        let mut consumer = self.bus.consume(Stream::Integration, 0);
        let mut is_caught_up = false;
        loop {
            let messages = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(ended) = self.tasks.join_next() => {
                    if let Err(failure) = ended {
                        // A keeper returns by itself only when it is told to. One that panicked has written what it
                        // did, so another one goes on from there.
                        error!(%failure, "a delivery ended by a defect and is begun again");
                        self.begin_again(stop);
                    }
                    continue;
                }
                messages = consumer.next_batch(BATCH_MESSAGES, BATCH_BYTES, PATIENCE) => messages?,
            };
            let mut changed: Vec<IntegrationId> = messages.iter().filter_map(|message| self.take_in(message)).collect();
            if !is_caught_up {
                // While the past is read, an integration may be seen that was deleted long ago: no keeper is made before
                // the end of the stream is reached.
                is_caught_up = consumer.pending() == Some(0);
                if !is_caught_up {
                    continue;
                }
                changed = self.followed.keys().chain(self.keepers.keys()).cloned().collect();
            }
            changed.sort();
            changed.dedup();
            for key in changed {
                self.tell(key, stop);
            }
        }
    }

    /// Gives every integration whose keeper is gone another one.
    fn begin_again(&mut self, stop: &CancellationToken) {
        let gone = self.keepers.extract_if(|_, keeper| keeper.is_closed());
        let keys: Vec<IntegrationId> = gone.map(|(key, _)| key).collect();
        for key in keys {
            self.tell(key, stop);
        }
    }

    /// Takes in a message; gives the integration that it changed.
    fn take_in(&mut self, message: &Message) -> Option<IntegrationId> {
        let subject = Subject::parse(&message.subject).ok()?;
        let id = subject.name().parse().ok()?;
        let key = IntegrationId { account: subject.account().clone(), id };
        let followed = self.followed.entry(key.clone()).or_default();
        for event in events_in(&subject, message) {
            if let Event::Integration(recorded) = event {
                followed.apply(message.position.sequence, message.received_at, recorded);
            }
        }
        Some(key)
    }

    /// Tells an integration's keeper what it is to do, and makes one when there is none.
    fn tell(&mut self, key: IntegrationId, stop: &CancellationToken) {
        let desired = self.followed.get(&key).and_then(Followed::desired);
        if desired.is_none() {
            self.followed.remove(&key);
            self.live.remove(&key);
            if let Some(keeper) = self.keepers.remove(&key) {
                keeper.send_replace(None);
            }
            return;
        }
        if let Some(keeper) = self.keepers.get(&key) {
            keeper.send_if_modified(|known| {
                let is_new = *known != desired;
                *known = desired;
                is_new
            });
            return;
        }
        let (sender, receiver) = watch::channel(desired);
        let live = watch::Sender::new(LiveState::default());
        let attempts = durations();
        let seen = LiveDelivery::new(live.subscribe(), receiver.clone(), attempts.clone());
        self.live.insert(key.clone(), seen);
        let (receivers, settings) = (self.receivers.clone(), self.settings.clone());
        let keeper = Keeper { receivers, settings, integration: key.clone(), desired: receiver, live, attempts };
        self.tasks.spawn(keeper.run(stop.child_token()));
        self.keepers.insert(key, sender);
    }
}
