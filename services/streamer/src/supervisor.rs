//! Follows the integrations and gives each its keeper.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{Bus, ConsumeError, Message};
use feed::read::events_in;
use model::event::Event;
use model::log::{AccountId, Stream, Subject};
use prometheus_client::metrics::histogram::Histogram;
use runtime::metrics::durations;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::Settings;
use crate::desired::{Desired, Followed};
use crate::keeper::Keeper;
use crate::receiver::Receivers;
use crate::worker::Live;

const BATCH_MESSAGES: usize = 1000;
const BATCH_BYTES: usize = 4 << 20;
/// How often it is looked whether the end of the stream is reached.
const PATIENCE: Duration = Duration::from_millis(250);
/// The pause before a log that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Which integration.
pub(crate) type Key = (AccountId, u64);

/// What others may see of every delivery. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Lives(Arc<Mutex<HashMap<Key, Seen>>>);

/// What others may see of a delivery, for as long as its integration is there.
#[derive(Clone)]
pub(crate) struct Seen {
    live: watch::Receiver<Live>,
    desired: watch::Receiver<Option<Desired>>,
    attempts: Histogram,
}

impl Seen {
    /// How it stands right now.
    pub(crate) fn live(&self) -> Live {
        self.live.borrow().clone()
    }

    /// What it shall do; none: it is being deleted.
    pub(crate) fn desired(&self) -> Option<Desired> {
        self.desired.borrow().clone()
    }

    /// How long its attempts took.
    pub(crate) fn attempts(&self) -> Histogram {
        self.attempts.clone()
    }
}

impl Lives {
    /// How a delivery stands right now; none: nobody is at it.
    pub(crate) fn of(&self, account: &AccountId, id: u64) -> Option<Live> {
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.get(&(account.clone(), id)).map(Seen::live)
    }

    /// Every delivery.
    pub(crate) fn all(&self) -> Vec<(Key, Seen)> {
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.iter().map(|(key, seen)| (key.clone(), seen.clone())).collect()
    }

    fn insert(&self, key: Key, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, seen);
    }

    fn remove(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

/// Follows the integrations.
pub(crate) struct Supervisor {
    bus: Bus,
    receivers: Receivers,
    settings: Settings,
    lives: Lives,
    followed: HashMap<Key, Followed>,
    keepers: HashMap<Key, watch::Sender<Option<Desired>>>,
    tasks: JoinSet<()>,
}

impl Supervisor {
    pub(crate) fn new(receivers: Receivers, settings: Settings, lives: Lives) -> Self {
        let bus = receivers.bus.clone();
        let (followed, keepers, tasks) = (HashMap::new(), HashMap::new(), JoinSet::new());
        Self { bus, receivers, settings, lives, followed, keepers, tasks }
    }

    /// Keeps every delivery until `stop`, then lets them end.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(failure) = self.follow(&stop).await {
                error!(%failure, "the integrations cannot be followed, beginning anew");
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
                        error!(%failure, "a delivery ended by a defect and is begun again");
                        self.begin_again(stop);
                    }
                    continue;
                }
                messages = consumer.next_batch(BATCH_MESSAGES, BATCH_BYTES, PATIENCE) => messages?,
            };
            let mut changed: Vec<Key> = messages.iter().filter_map(|message| self.take_in(message)).collect();
            if !is_caught_up {
                // What was long deleted is not begun while the past is read.
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
        let keys: Vec<Key> = gone.map(|(key, _)| key).collect();
        for key in keys {
            self.tell(key, stop);
        }
    }

    /// Takes in a message; gives the integration that it changed.
    fn take_in(&mut self, message: &Message) -> Option<Key> {
        let subject = Subject::parse(&message.subject).ok()?;
        let id = subject.name().parse().ok()?;
        let key = (subject.account().clone(), id);
        let followed = self.followed.entry(key.clone()).or_default();
        for event in events_in(&subject, message) {
            if let Event::Integration(recorded) = event {
                followed.apply(message.position.sequence, message.received_at, recorded);
            }
        }
        Some(key)
    }

    /// Tells an integration's keeper what it shall do, and makes it when there is none.
    fn tell(&mut self, key: Key, stop: &CancellationToken) {
        let desired = self.followed.get(&key).and_then(Followed::desired);
        if desired.is_none() {
            self.followed.remove(&key);
            self.lives.remove(&key);
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
        let live = watch::Sender::new(Live::default());
        let attempts = durations();
        let seen = Seen { live: live.subscribe(), desired: receiver.clone(), attempts: attempts.clone() };
        self.lives.insert(key.clone(), seen);
        let (account, id) = key.clone();
        let (receivers, settings) = (self.receivers.clone(), self.settings.clone());
        let keeper = Keeper { receivers, settings, account, id, desired: receiver, live, attempts };
        self.tasks.spawn(keeper.run(stop.child_token()));
        self.keepers.insert(key, sender);
    }
}
