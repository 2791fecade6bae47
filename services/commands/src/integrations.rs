//! Creating, changing and deleting integrations.

use bus::{Bus, KeyError};
use bytes::Bytes;
use model::command::{
    Accepted, ClearConfig, CreateIntegration, CreatedIntegration, DeleteIntegration, NumberedIntegration, Reason,
    SealedConfig, SteerIntegration, TellSealingKey, UpdateIntegration,
};
use model::event::Event as Any;
use model::integration::{self, Ciphertext, Command, Integration, Patch, Rejected, seal};
use model::json;
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::reach::Reach;
use model::secret::Secret;
use runtime::telemetry::chain;
use tracing::{error, info, warn};
use vault::{DataKey, MasterKey, Owner, Unopenable, Unsealable};

use crate::aggregate::{self, ATTEMPTS, Decided, Unpublished};
use crate::reachable;
use crate::receiver::Receiver;
use crate::refusal::Refusal;
use crate::snapshots::{Loaded, Snapshots};

/// Carries out commands about integrations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Integrations {
    bus: Bus,
    master: MasterKey,
    receiver: Receiver,
    reach: Reach,
    snapshots: Snapshots<Integration>,
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        let why = match &rejected {
            Rejected::NotFound => Reason::NotFound,
            Rejected::Taken => Reason::Conflict,
            Rejected::Config { .. } => Reason::Invalid,
        };
        Self::new(why, rejected.to_string())
    }
}

impl From<Unopenable> for Refusal {
    fn from(failure: Unopenable) -> Self {
        Self::internal(&failure)
    }
}

impl From<Unsealable> for Refusal {
    fn from(failure: Unsealable) -> Self {
        Self::internal(&failure)
    }
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        match &error {
            KeyError::Unreachable(_) => Self::unavailable(),
            KeyError::NoBucket => {
                error!(error = %chain(&error), "a command cannot be carried out: bring the bucket back from a backup");
                Self::new(Reason::KeysGone, "the keys of secrets are gone from the log")
            }
            KeyError::Exists { .. } | KeyError::BadName { .. } => Self::internal(&error),
        }
    }
}

impl Integrations {
    pub(crate) fn new(bus: Bus, master: MasterKey, reach: Reach) -> Self {
        Self { receiver: Receiver::new(bus.clone()), bus, master, reach, snapshots: Snapshots::default() }
    }

    /// Tells with what key configurations are to be sealed.
    pub(crate) async fn tell_sealing_key(self, _: TellSealingKey) -> Result<Accepted<String>, Refusal> {
        Ok(Accepted { position: None, done: self.master.transit().lock().to_string() })
    }

    fn opened(&self, account: &AccountId, sealed: &SealedConfig) -> Result<ClearConfig, Refusal> {
        let clear = self.master.transit().open(account, &sealed.0)?;
        // What is wrong with it is not said: the words could quote a secret.
        json::read(&clear).map_err(|_| Refusal::new(Reason::Invalid, "config: must be an object of strings"))
    }

    /// Makes an integration under the next number of its account. The number's subject is the lock: who
    /// publishes first on it has it, and as this stream forgets nothing, it is never given again.
    pub(crate) async fn create(self, command: CreateIntegration) -> Result<Accepted<CreatedIntegration>, Refusal> {
        let CreateIntegration { account, by, platform, config, enabled } = command;
        let config = platform.read_config(self.opened(&account, &config)?.0)?;
        let mut id = self.highest_id(&account).await? + 1;
        for _ in 0..ATTEMPTS {
            let owner = Owner { account: &account, id };
            let key = DataKey::generate()?;
            let config = sealed(&key, owner, config.clone())?;
            let state = Integration::Absent;
            let event = state.decide(Command::Create { platform, config, enabled }, by.clone())?;
            reachable::check(&self.reach, &event).await?;
            let wrapped = self.master.wrap(&key, owner)?;
            // The key before the event: a crash in between leaves a key that opens nothing and a number that is passed
            // over. The other way round it would leave an integration whose secrets nobody can ever open.
            match self.bus.keys().create(&key_name(&account, id), Bytes::from(wrapped)).await {
                Ok(()) => {}
                // Another writer is about to take this number, or was and died.
                Err(KeyError::Exists { .. }) => {
                    id += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let guarantee = match self.receiver.takes_a_test(owner, &event).await {
                Ok(guarantee) => guarantee,
                Err(refusal) => {
                    self.bus.keys().erase(&key_name(&account, id)).await?;
                    return Err(refusal);
                }
            };
            match self.publish_all(&account, id, Loaded { state, last: 0 }, event).await {
                Ok((position, current)) => {
                    let Accepted { position, done: integration } = accepted(position, id, current)?;
                    return Ok(Accepted { position, done: CreatedIntegration { integration, guarantee } });
                }
                Err(Unpublished::Conflict) => {
                    self.bus.keys().erase(&key_name(&account, id)).await?;
                    id += 1;
                }
                // Whether it is in the log is not known, so its key stays.
                Err(Unpublished::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(Refusal::conflict())
    }

    /// Changes an integration.
    pub(crate) async fn update(self, command: UpdateIntegration) -> Result<Accepted<NumberedIntegration>, Refusal> {
        let UpdateIntegration { account, by, id, config, enabled } = command;
        let clear = self.opened(&account, &config)?;
        let owner = Owner { account: &account, id };
        for _ in 0..ATTEMPTS {
            let loaded = self.load(&account, id).await?;
            let Integration::Present(current) = &loaded.state else { return Err(Rejected::NotFound.into()) };
            let config = current.platform.read_config(clear.0.clone())?;
            let Some(wrapped) = self.bus.keys().get(&key_name(&account, id)).await? else {
                // It is being deleted at this moment.
                return Err(Rejected::NotFound.into());
            };
            let key = self.master.unwrap(&wrapped, owner)?;
            let config = sealed(&key, owner, config)?;
            let events = loaded.state.decide(Command::Update { config, enabled }, by.clone())?;
            reachable::check(&self.reach, &events).await?;
            match self.publish_all(&account, id, loaded, events).await {
                Ok((position, current)) => return accepted(position, id, current),
                Err(Unpublished::Conflict) => {}
                Err(Unpublished::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(Refusal::conflict())
    }

    /// Steers the delivery of an integration.
    pub(crate) async fn steer(self, command: SteerIntegration) -> Result<Accepted<NumberedIntegration>, Refusal> {
        let SteerIntegration { account, by, id, order } = command;
        for _ in 0..ATTEMPTS {
            let loaded = self.load(&account, id).await?;
            let events = loaded.state.decide(Command::Steer(order), by.clone())?;
            match self.publish_all(&account, id, loaded, events).await {
                Ok((position, current)) => return accepted(position, id, current),
                Err(Unpublished::Conflict) => {}
                Err(Unpublished::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(Refusal::conflict())
    }

    /// Deletes an integration, then destroys its key.
    pub(crate) async fn delete(self, command: DeleteIntegration) -> Result<Accepted<()>, Refusal> {
        let DeleteIntegration { account, by, id } = command;
        for _ in 0..ATTEMPTS {
            let loaded = self.load(&account, id).await?;
            if loaded.state == Integration::Deleted {
                // The process that deleted it may have died before the key was gone.
                self.bus.keys().erase(&key_name(&account, id)).await?;
            }
            let events = loaded.state.decide(Command::Delete, by.clone())?;
            match self.publish_all(&account, id, loaded, events).await {
                Ok((position, _)) => {
                    // The event before the key: where this process dies in between, the next start reads the event and
                    // erases the key. A key that went first would leave an integration that is there and cannot deliver.
                    self.bus.keys().erase(&key_name(&account, id)).await?;
                    return Ok(Accepted { position, done: () });
                }
                Err(Unpublished::Conflict) => {}
                Err(Unpublished::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(Refusal::conflict())
    }

    /// Destroys the keys of integrations that were deleted by a process that died before it could.
    pub(crate) async fn destroy_leftover_keys(&self) {
        let subjects = self.bus.subjects_below(Stream::Integration, "flowtrail.v1.integration.*.*").await;
        let subjects = subjects.inspect_err(|error| warn!(%error, "leftover keys cannot be looked for"));
        for subject in subjects.unwrap_or_default() {
            let Ok(subject) = Subject::parse(&subject) else { continue };
            let Ok(id) = subject.name().parse() else { continue };
            let loaded = match self.load(subject.account(), id).await {
                Ok(loaded) => loaded,
                Err(Refusal { message, .. }) => {
                    warn!(message, account = %subject.account(), id, "whether a key is left over is not known");
                    continue;
                }
            };
            if loaded.state != Integration::Deleted {
                continue;
            }
            if let Err(error) = self.bus.keys().erase(&key_name(subject.account(), id)).await {
                warn!(%error, account = %subject.account(), id, "a deleted integration's key is still there");
            }
        }
    }

    async fn highest_id(&self, account: &AccountId) -> Result<u64, Refusal> {
        let filter = format!("flowtrail.v1.integration.{account}.*");
        let subjects = self.bus.subjects_below(Stream::Integration, &filter).await?;
        let ids = subjects.iter().filter_map(|subject| subject.rsplit('.').next()?.parse().ok());
        Ok(ids.max().unwrap_or(0))
    }

    async fn load(&self, account: &AccountId, id: u64) -> Result<Loaded<Integration>, Refusal> {
        let subject = Subject::integration(account, id);
        let Loaded { mut state, last } = self.snapshots.take(&subject).unwrap_or_default();
        let apply = |event| {
            if let Any::Integration(recorded) = event {
                state.apply(recorded.event, recorded.time);
            }
        };
        let last = aggregate::read(&self.bus, &subject, last, apply).await?;
        let loaded = Loaded { state, last };
        self.snapshots.keep(&subject, loaded.clone());
        Ok(loaded)
    }

    /// Publishes what was decided and gives the state after it.
    async fn publish_all(
        &self,
        account: &AccountId,
        id: u64,
        loaded: Loaded<Integration>,
        events: Vec<integration::Event>,
    ) -> Result<(Option<LogPosition>, Integration), Unpublished> {
        let Loaded { mut state, mut last } = loaded;
        let mut position = None;
        for event in events {
            let time = aggregate::now();
            let subject = Subject::integration(account, id);
            let event_type = event.event_type();
            let decided = Decided { subject, event_type, data: &event, expected_last: last, time };
            let published = aggregate::publish(&self.bus, decided).await;
            // What it was decided on is not what the log holds.
            let published = published.inspect_err(|_| self.snapshots.forget(&Subject::integration(account, id)))?;
            info!(%account, id, event_type, %published, "integration");
            // The next event expects this one to be the last, so nobody can come between the events of one decision.
            last = published.sequence;
            position = Some(published);
            state.apply(event, time);
        }
        Ok((position, state))
    }
}

fn key_name(account: &AccountId, id: u64) -> String {
    Owner { account, id }.key_name()
}

fn sealed(key: &DataKey, owner: Owner<'_>, config: Patch<Secret>) -> Result<Patch<Ciphertext>, Unsealable> {
    seal(config, |field, secret| key.seal(owner, field, secret))
}

fn accepted(
    position: Option<LogPosition>,
    id: u64,
    state: Integration,
) -> Result<Accepted<NumberedIntegration>, Refusal> {
    match state {
        Integration::Present(current) => Ok(Accepted { position, done: NumberedIntegration { id, current } }),
        Integration::Absent | Integration::Deleted => Err(Rejected::NotFound.into()),
    }
}
