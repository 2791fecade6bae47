//! Making and removing accounts, users and tokens, and erasing persons.

use bus::Bus;
use model::access::{Actor, Command, PERSON, Rejected, State, user_id};
use model::command::{
    Accepted, CreateAccount, CreateToken, CreateUser, DeleteToken, DeleteUser, ErasePerson, Reason, SetUserScopes,
};
use model::event::Event as Any;
use model::log::{AccountId, LogPosition, Subject};
use tracing::info;

use crate::aggregate::{self, ATTEMPTS, Decided, Unpublished};
use crate::refusal::Refusal;

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        let why = match &rejected {
            Rejected::Exists => Reason::Conflict,
            Rejected::NotFound => Reason::NotFound,
            Rejected::Field { .. } => Reason::Invalid,
        };
        Self::new(why, rejected.to_string())
    }
}

pub(crate) async fn create_account(bus: Bus, command: CreateAccount) -> Result<Accepted<()>, Refusal> {
    let CreateAccount { account, name, by } = command;
    let subject = Subject::access(&account, "account", account.as_str());
    let position = change(&bus, &subject, Command::CreateAccount { name }, by).await?;
    Ok(Accepted { position: Some(position), done: () })
}

pub(crate) async fn create_user(bus: Bus, command: CreateUser) -> Result<Accepted<String>, Refusal> {
    let CreateUser { account, email, name, password_hash, scopes, by } = command;
    check_account(&bus, &account).await?;
    let id = user_id(&email);
    let subject = Subject::access(&account, "user", &id);
    let create = Command::CreateUser { email, name, password_hash, scopes };
    let position = change(&bus, &subject, create, by).await?;
    Ok(Accepted { position: Some(position), done: id })
}

pub(crate) async fn set_user_scopes(bus: Bus, command: SetUserScopes) -> Result<Accepted<()>, Refusal> {
    let SetUserScopes { account, email, scopes, by } = command;
    let subject = Subject::access(&account, "user", &user_id(&email));
    let position = change(&bus, &subject, Command::SetUserScopes { scopes }, by).await?;
    Ok(Accepted { position: Some(position), done: () })
}

pub(crate) async fn delete_user(bus: Bus, command: DeleteUser) -> Result<Accepted<()>, Refusal> {
    let DeleteUser { account, email, by } = command;
    let subject = Subject::access(&account, "user", &user_id(&email));
    let position = change(&bus, &subject, Command::DeleteUser, by).await?;
    Ok(Accepted { position: Some(position), done: () })
}

pub(crate) async fn create_token(bus: Bus, command: CreateToken) -> Result<Accepted<String>, Refusal> {
    let id = runtime::clock::new_ulid().map_err(|failure| Refusal::internal(&failure))?.to_string();
    create_token_as(&bus, command, id).await
}

/// Makes a token under an id that is known beforehand.
pub(crate) async fn create_token_as(bus: &Bus, command: CreateToken, id: String) -> Result<Accepted<String>, Refusal> {
    let CreateToken { account, name, hash, scopes, user_id, expires_at, by } = command;
    check_account(bus, &account).await?;
    if let Some(user_id) = &user_id {
        check_user(bus, &account, user_id).await?;
    }
    let subject = Subject::access(&account, "token", &id);
    let create = Command::CreateToken { name, hash, scopes, user_id, expires_at };
    let position = change(bus, &subject, create, by).await?;
    Ok(Accepted { position: Some(position), done: id })
}

pub(crate) async fn delete_token(bus: Bus, command: DeleteToken) -> Result<Accepted<()>, Refusal> {
    let DeleteToken { account, id, by } = command;
    let subject = Subject::access(&account, "token", &id);
    let position = change(&bus, &subject, Command::DeleteToken, by).await?;
    Ok(Accepted { position: Some(position), done: () })
}

pub(crate) async fn erase_person(bus: Bus, command: ErasePerson) -> Result<Accepted<String>, Refusal> {
    let ErasePerson { account, person, by } = command;
    check_account(&bus, &account).await?;
    let id = runtime::clock::new_ulid().map_err(|failure| Refusal::internal(&failure))?.to_string();
    let subject = Subject::access(&account, PERSON, &id);
    let position = change(&bus, &subject, Command::ErasePerson { person }, by).await?;
    Ok(Accepted { position: Some(position), done: id })
}

async fn check_account(bus: &Bus, account: &AccountId) -> Result<(), Refusal> {
    let subject = Subject::access(account, "account", account.as_str());
    match load(bus, &subject).await?.0 {
        State::Present(_) => Ok(()),
        State::Absent | State::Deleted => {
            let message = format!("there is no account {account}; make it first: flowtrail account create {account}");
            Err(Refusal::new(Reason::NotFound, message))
        }
    }
}

/// A token of a user who is gone would open nothing.
async fn check_user(bus: &Bus, account: &AccountId, user_id: &str) -> Result<(), Refusal> {
    match load(bus, &Subject::access(account, "user", user_id)).await?.0 {
        State::Present(_) => Ok(()),
        State::Absent | State::Deleted => {
            Err(Refusal::new(Reason::NotFound, format!("there is no such user in the account {account}")))
        }
    }
}

async fn load(bus: &Bus, subject: &Subject) -> Result<(State, u64), Refusal> {
    let mut state = State::default();
    let apply = |event| {
        if let Any::Access(recorded) = event {
            state.apply(recorded.event);
        }
    };
    let last = aggregate::read(bus, subject, 0, apply).await?;
    Ok((state, last))
}

async fn change(bus: &Bus, subject: &Subject, command: Command, by: Actor) -> Result<LogPosition, Refusal> {
    for _ in 0..ATTEMPTS {
        let (state, last) = load(bus, subject).await?;
        let event = state.decide(command.clone(), by.clone())?;
        let (event_type, time) = (event.event_type(), aggregate::now());
        let decided = Decided { subject: subject.clone(), event_type, data: &event, expected_last: last, time };
        match aggregate::publish(bus, decided).await {
            Ok(position) => {
                info!(account = %subject.account(), id = subject.name(), event_type, %position, "access");
                return Ok(position);
            }
            Err(Unpublished::Conflict) => {}
            Err(Unpublished::Refused(refusal)) => return Err(refusal),
        }
    }
    Err(Refusal::conflict())
}
