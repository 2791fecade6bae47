//! `/api/ni/auth/token`: signing in makes a token, signing out ends it.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::access::Principal;
use model::secret::Secret;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use super::fields::Fields;
use crate::access::caller::Caller;
use crate::access::sign_in::{Attempt, SignIn, SignedIn};
use crate::describe::{Header, Operation};
use crate::http::body::{REQUEST, read};
use crate::http::freshness;
use crate::http::origin::Peer;
use crate::render::json;
use crate::render::refusal::Refusal;

/// A token, and how long it lasts.
#[derive(Serialize, JsonSchema)]
struct Token<'a> {
    token: &'a str,
    /// Milliseconds since 1970.
    expiry: i64,
}

/// Makes a token for a client that knows a user's password.
pub(crate) async fn sign_in(State(sign_in): State<SignIn>, request: Request) -> Result<Response, Refusal> {
    let at_least = freshness::at_least(request.headers())?;
    let address = request.extensions().get().map(|Peer(address)| *address);
    let Credentials { name, password } = credentials(&read(request, REQUEST).await?)?;
    // Only now it counts as an attempt: a body that names nobody and no password is none.
    let attempt = Attempt { name, password, address, at_least };
    let SignedIn { token, expires_at, position } = sign_in.sign_in(attempt).await?;
    let mut response = json::ok(&Token { token: token.reveal(), expiry: expires_at.micros() / 1000 });
    if let Some(position) = position {
        freshness::add_position(response.headers_mut(), position);
    }
    Ok(response)
}

pub(crate) fn describe_sign_in() -> Operation {
    Operation::new("Sign in", "Makes a token for a client that knows a user's password. It lasts five hours.")
        .takes_at_least()
        .body(credentials_schema)
        .answers::<Token<'_>>(StatusCode::OK, "The token.")
        .with(&[Header::AsOf])
        .refuses(StatusCode::UNAUTHORIZED, "The name or the password is wrong; which of both is not said.")
}

/// Ends the token that the request came with.
pub(crate) async fn sign_out(State(sign_in): State<SignIn>, caller: Caller) -> Result<Response, Refusal> {
    let Principal { account, token_id, actor, .. } = caller.principal;
    let foreign = Refusal::Forbidden("only the OpenID provider that issued this token can end it".into());
    let token_id = token_id.ok_or(foreign)?;
    let position = sign_in.end_token(account, token_id, actor).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(position) = position {
        freshness::add_position(response.headers_mut(), position);
    }
    Ok(response)
}

pub(crate) fn describe_sign_out() -> Operation {
    Operation::new("Sign out", "Ends the token that the request came with.")
        .answers_nothing(StatusCode::NO_CONTENT, "The token has ended.")
        .with(&[Header::AsOf])
        .refuses(StatusCode::FORBIDDEN, "The token is an OpenID provider's, which alone can end it.")
}

#[derive(Debug)]
struct Credentials {
    name: String,
    password: Secret,
}

/// A domain may be named, and says nothing: users sign in with their address, which is of one domain anyway.
fn credentials(body: &[u8]) -> Result<Credentials, Refusal> {
    let mut fields = Fields::read(body)?;
    if let Some(mut domain) = fields.object("domain")? {
        let kind = domain.text("domain_type")?;
        if kind.is_some_and(|kind| kind != "LOCAL" && kind != "LDAP") {
            return Err(domain.wrong("domain_type", "must be LOCAL or LDAP"));
        }
        domain.text("value")?;
    }
    let name = fields.text("username")?.ok_or_else(|| fields.wrong("username", "is required"))?;
    let password = fields.text("password")?.ok_or_else(|| fields.wrong("password", "is required"))?;
    Ok(Credentials { name, password: Secret::new(password) })
}

/// What [`credentials`] reads.
fn credentials_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "required": ["username", "password"],
        "properties": {
            "username": { "type": "string", "description": "An e-mail address, in any case." },
            "password": { "type": "string", "format": "password" },
            "domain": {
                "type": "object",
                "description": "Says nothing here: an address is of one domain anyway.",
                "properties": {
                    "domain_type": { "type": "string", "enum": ["LOCAL", "LDAP"] },
                    "value": { "type": "string" },
                },
            },
        },
    })
}

/// Whether a body can be read.
pub(crate) fn check(body: &[u8]) -> Result<(), Refusal> {
    credentials(body).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(body: &str) -> String {
        credentials(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn name_and_password_are_enough_and_a_domain_may_be_there() {
        for domain in ["", r#","domain":{}"#, r#","domain":{"domain_type":"LDAP","value":"example.com"}"#] {
            let body = format!(r#"{{"username":"a@x","password":"p"{domain},"more":1}}"#);
            let read = credentials(body.as_bytes()).unwrap();
            assert_eq!((read.name.as_str(), read.password.reveal()), ("a@x", "p"));
            assert!(!format!("{read:?}").contains("\"p\""));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_without_the_password() {
        assert_eq!(why(""), "username: is required");
        assert_eq!(why(r#"{"username":"a@x"}"#), "password: is required");
        assert_eq!(why(r#"{"username":"a@x","password":7131}"#), "password: must be a string");
        let body = r#"{"username":"a@x","password":"p","domain":{"domain_type":"ldap"}}"#;
        assert_eq!(why(body), "domain.domain_type: must be LOCAL or LDAP");
    }
}
