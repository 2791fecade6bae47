//! `/flowtrail/v1/session`: a token, or a user's name and password, becomes a cookie, for a page that is to hold neither.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use model::access::{Actor, Principal, Scopes};
use model::log::AccountId;
use model::secret::Secret;
use model::time::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::members::{Members, required};
use crate::access::auth::Access;
use crate::access::caller::Caller;
use crate::access::session::{self, CSRF, Session, Source};
use crate::access::sign_in::{Attempt, SignIn, SignedIn};
use crate::access::token;
use crate::describe::{Header, Operation, schema};
use crate::http::body::{REQUEST, read};
use crate::http::freshness;
use crate::http::origin::Origin;
use crate::lists::language::now;
use crate::render::json;
use crate::render::refusal::Refusal;

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SignedIn")]
struct Shown<'a> {
    account: &'a AccountId,
    /// The user, or the token where it has none.
    user: &'a Actor,
    /// What they may do.
    scopes: &'a Scopes,
    /// When the token ends, and the session with it; null: never.
    expires_at: Option<Timestamp>,
}

impl<'a> From<&'a Principal> for Shown<'a> {
    fn from(Principal { account, actor, scopes, expires_at, .. }: &'a Principal) -> Self {
        Self { account, user: actor, scopes, expires_at: *expires_at }
    }
}

/// Begins a session.
pub(crate) async fn start(
    State(access): State<Arc<Access>>,
    State(sign_in): State<SignIn>,
    request: Request,
) -> Result<Response, Refusal> {
    // A page of another origin must not sign anybody in as somebody else.
    session::check_origin(&request)?;
    let mut at_least = freshness::at_least(request.headers())?;
    let (origin, is_over_tls) = (Origin::of(&request), session::is_over_tls(&request));
    let mut position = None;
    let session = match credentials(&read(request, REQUEST).await?)? {
        Credentials::Token(token) => {
            sign_in.count(origin.address)?;
            Session { source: Source::Given, token }
        }
        Credentials::Password { name, password } => {
            let attempt = Attempt { name, password, address: origin.address, at_least: at_least.clone() };
            let signed_in: SignedIn = sign_in.sign_in(attempt).await?;
            position = signed_in.position;
            at_least.extend(position);
            Session { source: Source::SignIn, token: signed_in.token }
        }
    };
    let principal = access.vouch(&session.token, &at_least, origin).await?;
    let cookie = session.begin(principal.expires_at, now()?, is_over_tls)?;
    let mut response = json::ok(&Shown::from(&principal));
    response.headers_mut().insert(SET_COOKIE, cookie);
    if let Some(position) = position {
        freshness::add_position(response.headers_mut(), position);
    }
    Ok(response)
}

pub(crate) fn describe_start() -> Operation {
    let text = "Answers with a cookie that no script reads and no other site sends, for pages of Flowtrail's own origin. A name and \
                a password make a token that lasts five hours; a token that is sent is used as it is.";
    Operation::new("Begin a session", text)
        .takes_at_least()
        .body(credentials_schema)
        .answers::<Shown<'_>>(StatusCode::OK, "Who is signed in.")
        .with(&[Header::AsOf, Header::SetCookie])
        .refuses(StatusCode::UNAUTHORIZED, "The token, or the name or the password, is wrong.")
        .refuses(StatusCode::FORBIDDEN, "A browser asks for a page of another origin.")
}

/// Says who is signed in, by whatever token.
pub(crate) async fn show(caller: Caller) -> Response {
    let mut response = json::ok(&Shown::from(&caller.principal));
    caller.seen.add_to(response.headers_mut());
    response
}

pub(crate) fn describe_show() -> Operation {
    Operation::new("Who is signed in", "By a session's cookie, or by any token.")
        .answers::<Shown<'_>>(StatusCode::OK, "The token's account, user, scopes and end.")
        .tells_freshness()
}

/// Ends the session that the request came with, and the token that was made for it.
pub(crate) async fn end(State(sign_in): State<SignIn>, caller: Caller, request: Request) -> Result<Response, Refusal> {
    let Principal { account, token_id, actor, .. } = caller.principal;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(SET_COOKIE, session::end(session::is_over_tls(&request))?);
    if is_made_for_session(request.headers())
        && let Some(id) = token_id
    {
        let position = match sign_in.end_token(account, id, actor).await {
            // Another request was faster.
            Err(Refusal::UnknownToken) => None,
            ended => ended?,
        };
        if let Some(position) = position {
            freshness::add_position(response.headers_mut(), position);
        }
    }
    Ok(response)
}

pub(crate) fn describe_end() -> Operation {
    let text = "The browser forgets the cookie. A token that was made for the session ends; one that was sent to begin it stays good.";
    Operation::new("End a session", text)
        .header(CSRF, "Anything; without an `Authorization` it must be there.", schema::text())
        .answers_nothing(StatusCode::NO_CONTENT, "The session has ended.")
        .with(&[Header::AsOf, Header::SetCookie])
        .refuses(StatusCode::FORBIDDEN, "The header is missing, or a browser asks for a page of another origin.")
}

/// Whether the request's token is one that ends with its session.
fn is_made_for_session(headers: &HeaderMap) -> bool {
    token::session(headers).is_some_and(|session| session.source == Source::SignIn)
}

/// What a session begins with.
#[derive(Debug)]
enum Credentials {
    Token(Secret),
    Password { name: String, password: Secret },
}

fn credentials(body: &[u8]) -> Result<Credentials, Refusal> {
    let mut members = Members::read(body, &["token", "username", "password"])?;
    let (token, name, password) = (members.text("token")?, members.text("username")?, members.text("password")?);
    if let Some(token) = token {
        if name.is_some() || password.is_some() {
            return Err(Refusal::field("token", "must stand alone, without username and password"));
        }
        return Ok(Credentials::Token(Secret::new(token)));
    }
    let password = Secret::new(required("password", password)?);
    Ok(Credentials::Password { name: required("username", name)?, password })
}

/// What [`credentials`] reads.
fn credentials_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "token": { "type": "string", "format": "password" },
            "username": { "type": "string", "description": "An e-mail address, in any case." },
            "password": { "type": "string", "format": "password" },
        },
        "oneOf": [{ "required": ["token"] }, { "required": ["username", "password"] }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_or_a_name_and_a_password_are_enough_and_none_is_shown() {
        let read = |body: &str| credentials(body.as_bytes()).unwrap();
        let token = read(r#"{"token":"ft_secret"}"#);
        assert!(matches!(&token, Credentials::Token(token) if token.reveal() == "ft_secret"));
        let password = read(r#"{"username":"a@x","password":"secret"}"#);
        assert!(matches!(&password, Credentials::Password { password, .. } if password.reveal() == "secret"));
        assert!(!format!("{token:?} {password:?}").contains("secret"));
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let why = |body: &str| credentials(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(why("{}"), "password: is required");
        assert_eq!(why(r#"{"password":"p"}"#), "username: is required");
        assert_eq!(why(r#"{"token":7131}"#), "token: must be a string");
        assert_eq!(why(r#"{"token":"t","password":"p"}"#), "token: must stand alone, without username and password");
        assert_eq!(
            why(r#"{"user":"a@x","password":"p"}"#),
            "user: is no member here; known are token, username, password"
        );
    }
}
