//! Creating, changing and deleting saved searches.

use bus::Bus;
use model::command::{Accepted, Reason};
use model::event::Event as Any;
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::search::{
    Asker, Command, CreateSearch, DeleteSearch, Event, IdentifiedSearch, Rejected, Roster, Search, UpdateSearch,
};
use tracing::info;

use crate::aggregate::{self, ATTEMPTS, Decided, Unpublished};
use crate::refusal::Refusal;
use crate::snapshots::{Loaded, Snapshots};

/// Carries out commands about saved searches. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Searches {
    bus: Bus,
    rosters: Snapshots<Roster>,
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        let why = match &rejected {
            Rejected::NotFound => Reason::NotFound,
            Rejected::Taken | Rejected::TooMany { .. } => Reason::Conflict,
            Rejected::MayNotRead(_) | Rejected::NotTheOwner => Reason::Forbidden,
            Rejected::Field { .. } => Reason::Invalid,
        };
        Self::new(why, rejected.to_string())
    }
}

impl Searches {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, rosters: Snapshots::default() }
    }

    /// Makes a search under an id of its own. Those that are made at the same moment do not know of each other, so there may
    /// be a few more than the bounds say.
    pub(crate) async fn create(self, command: CreateSearch) -> Result<Accepted<IdentifiedSearch>, Refusal> {
        let CreateSearch { account, asker, search } = command;
        self.roster(&account).await?.admit(&asker.actor.id)?;
        let id = runtime::clock::new_ulid().map_err(|failure| Refusal::internal(&failure))?.to_string();
        accepted(&id, self.change((&account, &id), Command::Create(search), &asker).await?)
    }

    /// Changes a search.
    pub(crate) async fn update(self, command: UpdateSearch) -> Result<Accepted<IdentifiedSearch>, Refusal> {
        let UpdateSearch { account, asker, id, change } = command;
        accepted(&id, self.change((&account, &id), Command::Update(change), &asker).await?)
    }

    /// Deletes a search.
    pub(crate) async fn delete(self, command: DeleteSearch) -> Result<Accepted<()>, Refusal> {
        let DeleteSearch { account, asker, id } = command;
        let (position, _) = self.change((&account, &id), Command::Delete, &asker).await?;
        Ok(Accepted { position, done: () })
    }

    /// Publishes what a command leads to, and gives the state after it.
    async fn change(
        &self,
        (account, id): (&AccountId, &str),
        command: Command,
        asker: &Asker,
    ) -> Result<(Option<LogPosition>, Search), Refusal> {
        let subject = Subject::search(account, id);
        for _ in 0..ATTEMPTS {
            let Loaded { mut state, last } = self.load(&subject).await?;
            let time = aggregate::now();
            let Some(event) = state.decide(command.clone(), asker, time)? else { return Ok((None, state)) };
            let event_type = event.event_type();
            let decided = Decided { subject: subject.clone(), event_type, data: &event, expected_last: last, time };
            match aggregate::publish(&self.bus, decided).await {
                Ok(position) => {
                    info!(%account, id, event_type, %position, "search");
                    state.apply(event, time);
                    return Ok((Some(position), state));
                }
                Err(Unpublished::Conflict) => {}
                Err(Unpublished::Refused(refusal)) => return Err(refusal),
            }
        }
        Err(Refusal::conflict())
    }

    async fn load(&self, subject: &Subject) -> Result<Loaded<Search>, Refusal> {
        let mut state = Search::default();
        let apply = |event| {
            if let Any::Search(recorded) = event {
                state.apply(recorded.event, recorded.time);
            }
        };
        let last = aggregate::read(&self.bus, subject, 0, apply).await?;
        Ok(Loaded { state, last })
    }

    /// The searches that an account has, from its first event on; of those that were read before, nothing is read again.
    async fn roster(&self, account: &AccountId) -> Result<Roster, Refusal> {
        let Loaded { mut state, last } = self.rosters.take(account).unwrap_or_default();
        let apply = |event| {
            let Any::Search(recorded) = event else { return };
            match recorded.event {
                Event::Created(data) => state.enter(recorded.id, data.by.id),
                Event::Deleted(_) => state.strike(&recorded.id),
                Event::Updated(_) => {}
            }
        };
        let last = aggregate::read_below(&self.bus, (Stream::Search, account), last, apply).await?;
        self.rosters.keep(account, Loaded { state: state.clone(), last });
        Ok(state)
    }
}

fn accepted(id: &str, (position, state): (Option<LogPosition>, Search)) -> Result<Accepted<IdentifiedSearch>, Refusal> {
    match state {
        Search::Present(current) => Ok(Accepted { position, done: IdentifiedSearch { id: id.to_owned(), current } }),
        Search::Absent | Search::Deleted => Err(Rejected::NotFound.into()),
    }
}
