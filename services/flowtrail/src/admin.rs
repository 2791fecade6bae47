//! `flowtrail account | user | token`.

use std::io::{IsTerminal, Write, stdin, stdout};

use anyhow::Context;
use model::access::{TokenHash, new_token, user_id};
use model::command::{CreateAccount, CreateToken, CreateUser, DeleteToken, DeleteUser, SetUserScopes};
use model::secret::Secret;
use runtime::settings::Settings;
use serde_json::{Value, json};
use views::access::{Accounts, Tokens, Users};

use crate::cli::{Account, Token, User};
use crate::client;
use crate::output::Output;
use crate::terminal::visible;

pub(crate) async fn account(settings: &Settings, command: &Account) -> anyhow::Result<()> {
    let bus = client::connect(settings).await?;
    match command {
        Account::Create { account, name } => {
            let name = name.clone().unwrap_or_else(|| account.to_string());
            let create = CreateAccount { account: account.clone(), name, by: client::operator() };
            client::send(&bus, &create).await.with_context(|| format!("create the account {account}"))?;
            writeln!(stdout(), "{account}").context("print the answer")?;
        }
        Account::List { output } => {
            for account in client::ask(&bus, Accounts).await? {
                let line = format!("{}\t{}\t{}", account.id, account.created_at, visible(&account.name));
                print(*output, &line, &json!(account))?;
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
                by: client::operator(),
            };
            let id = client::send(&bus, &create).await.with_context(|| format!("create the user {email}"))?;
            writeln!(stdout(), "{id}").context("print the answer")?;
        }
        User::List { within, output } => {
            for user in client::ask(&bus, Users { account: within.account.clone() }).await? {
                let views::access::User { id, email, name, scopes, created_at, password_hash: _ } = user;
                let scopes_text = serde_json::to_string(&scopes)?;
                let line = format!("{id}\t{created_at}\t{}\t{scopes_text}\t{}", visible(&email), visible(&name));
                let object =
                    json!({ "id": id, "email": email, "name": name, "scopes": scopes, "created_at": created_at });
                print(*output, &line, &object)?;
            }
        }
        User::Scopes { email, scopes, within } => {
            let scopes = scopes.iter().copied().collect();
            let set =
                SetUserScopes { account: within.account.clone(), email: email.clone(), scopes, by: client::operator() };
            client::send(&bus, &set).await.with_context(|| format!("change what the user {email} may do"))?;
        }
        User::Delete { email, within } => {
            let delete = DeleteUser { account: within.account.clone(), email: email.clone(), by: client::operator() };
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
                by: client::operator(),
            };
            client::send(&bus, &create).await.with_context(|| format!("create the token {name:?}"))?;
            writeln!(stdout(), "{}", token.reveal()).context("print the answer")?;
        }
        Token::List { within, output } => {
            for token in client::ask(&bus, Tokens { account: within.account.clone() }).await? {
                let views::access::Token { id, name, scopes, user_id, expires_at, created_at, hash: _ } = token;
                let ends = expires_at.map_or_else(|| "never ends".to_owned(), |time| format!("ends {time}"));
                let scopes_text = serde_json::to_string(&scopes)?;
                let line = format!("{id}\t{created_at}\t{ends}\t{scopes_text}\t{}", visible(&name));
                let object = json!({ "id": id, "name": name, "scopes": scopes, "user_id": user_id,
                                     "expires_at": expires_at, "created_at": created_at });
                print(*output, &line, &object)?;
            }
        }
        Token::Delete { id, within } => {
            let delete = DeleteToken { account: within.account.clone(), id: id.clone(), by: client::operator() };
            client::send(&bus, &delete).await.with_context(|| format!("delete the token {id}"))?;
        }
    }
    Ok(())
}

/// Prints one of a list. The line has the texts of strangers as they may be shown; the object has them as they are.
fn print(output: Output, line: &str, object: &Value) -> anyhow::Result<()> {
    let mut out = stdout();
    if output.json { writeln!(out, "{object}") } else { writeln!(out, "{line}") }.context("print the answer")
}

/// Asks for a password on a terminal, where it is not shown; elsewhere it is the line on standard input.
fn read_password() -> anyhow::Result<Secret> {
    let mut line = String::new();
    if stdin().is_terminal() {
        line = rpassword::prompt_password("Password: ").context("ask for the password")?;
    } else {
        stdin().read_line(&mut line).context("read the password from standard input")?;
    }
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "the password is empty");
    Ok(Secret::new(password.to_owned()))
}
