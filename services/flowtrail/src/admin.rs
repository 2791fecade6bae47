//! `flowtrail account | user | token`.

use std::io::{Write, stdout};

use anyhow::Context;
use model::access::{Actor, TokenHash, new_token, user_id};
use model::command::{CreateAccount, CreateToken, CreateUser, DeleteToken, DeleteUser, SetUserScopes};
use model::secret::Secret;
use runtime::settings::Settings;
use views::access::{Accounts, Tokens, Users};

use crate::cli::{Account, Token, User};
use crate::client;

pub(crate) async fn account(settings: &Settings, command: &Account) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    match command {
        Account::Create { account, name } => {
            let name = name.clone().unwrap_or_else(|| account.to_string());
            let create = CreateAccount { account: account.clone(), name, by: operator() };
            client::send(&bus, &create).await.with_context(|| format!("create the account {account}"))?;
            writeln!(stdout(), "{account}").context("print the answer")?;
        }
        Account::List => {
            for account in client::ask(&bus, Accounts).await? {
                writeln!(stdout(), "{}\t{}\t{}", account.id, account.created_at, account.name)
                    .context("print the answer")?;
            }
        }
    }
    Ok(())
}

pub(crate) async fn user(settings: &Settings, command: &User) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    match command {
        User::Create { email, name, scopes, within } => {
            let password = read_password()?;
            let password_hash = vault::hash_password(&password)?;
            let create = CreateUser {
                account: within.account.clone(),
                email: email.clone(),
                name: name.clone().unwrap_or_else(|| email.clone()),
                password_hash,
                scopes: scopes.iter().copied().collect(),
                by: operator(),
            };
            let id = client::send(&bus, &create).await.with_context(|| format!("create the user {email}"))?;
            writeln!(stdout(), "{id}").context("print the answer")?;
        }
        User::List { within } => {
            for user in client::ask(&bus, Users { account: within.account.clone() }).await? {
                let scopes = serde_json::to_string(&user.scopes)?;
                writeln!(stdout(), "{}\t{}\t{}\t{scopes}\t{}", user.id, user.created_at, user.email, user.name)
                    .context("print the answer")?;
            }
        }
        User::Scopes { email, scopes, within } => {
            let scopes = scopes.iter().copied().collect();
            let set = SetUserScopes { account: within.account.clone(), email: email.clone(), scopes, by: operator() };
            client::send(&bus, &set).await.with_context(|| format!("change what the user {email} may do"))?;
        }
        User::Delete { email, within } => {
            let delete = DeleteUser { account: within.account.clone(), email: email.clone(), by: operator() };
            client::send(&bus, &delete).await.with_context(|| format!("delete the user {email}"))?;
        }
    }
    Ok(())
}

pub(crate) async fn token(settings: &Settings, command: &Token) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    match command {
        Token::Create { name, scopes, expires_at, user, within } => {
            // Made here, so that the token itself travels nowhere.
            let token = new_token(runtime::clock::random_bytes()?);
            let create = CreateToken {
                account: within.account.clone(),
                name: name.clone(),
                hash: TokenHash::of(token.reveal()),
                scopes: scopes.iter().copied().collect(),
                user_id: user.as_deref().map(user_id),
                expires_at: *expires_at,
                by: operator(),
            };
            client::send(&bus, &create).await.with_context(|| format!("create the token {name:?}"))?;
            writeln!(stdout(), "{}", token.reveal()).context("print the answer")?;
        }
        Token::List { within } => {
            for token in client::ask(&bus, Tokens { account: within.account.clone() }).await? {
                let scopes = serde_json::to_string(&token.scopes)?;
                let ends = token.expires_at.map_or_else(|| "never ends".to_owned(), |time| format!("ends {time}"));
                writeln!(stdout(), "{}\t{}\t{ends}\t{scopes}\t{}", token.id, token.created_at, token.name)
                    .context("print the answer")?;
            }
        }
        Token::Delete { id, within } => {
            let delete = DeleteToken { account: within.account.clone(), id: id.clone(), by: operator() };
            client::send(&bus, &delete).await.with_context(|| format!("delete the token {id}"))?;
        }
    }
    Ok(())
}

/// The actor of what is done by command line: anybody who may publish to this NATS server.
fn operator() -> Actor {
    Actor { id: "operator".to_owned(), name: Some("flowtrail command line".to_owned()), email: None }
}

fn read_password() -> anyhow::Result<Secret> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "the password on standard input is empty");
    Ok(Secret::new(password.to_owned()))
}
