//! Tokens of an OpenID provider (RFC 7519): whom they stand for, by what the provider says in them.
//!
//! Invariants: nothing in a token counts before its signature fits one of the provider's keys; only asymmetric
//! algorithms are known; a token that is wrong in any way is a stranger's, never a failure.

mod keys;
mod verify;

use jsonwebtoken::{Validation, decode, decode_header};
use model::access::{Actor, Principal, Scope, Scopes};
use model::log::AccountId;
use model::time::Timestamp;
use serde_json::{Map, Value};
use tracing::debug;

use self::keys::Keys;
pub use self::keys::{KeySource, KeysError, Pauses};

/// A longer token is none.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// Which provider is trusted, and what its claims mean.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Must be the `iss` of every token, to the letter.
    pub issuer: String,
    /// One of these must be in the `aud` of every token.
    pub audiences: Vec<String>,
    /// Where the provider's keys are.
    pub keys: KeySource,
    /// How often new ones are looked for.
    pub pauses: Pauses,
    /// The claim that names the account: a name, or a JSON pointer when it starts with a slash.
    pub account_claim: String,
    /// The claim that names the scopes, as a text with spaces between them or as an array.
    pub scope_claim: String,
    /// How far the provider's clock may be off, in seconds.
    pub leeway: u64,
}

/// A provider whose tokens are as good as Flowtrail's own.
#[derive(Debug)]
pub struct Provider {
    settings: Settings,
    keys: Keys,
}

/// Why a token is not good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// It is not a token of this provider for this audience.
    Foreign,
    /// It was good for this principal, and its time is over.
    Expired(Box<Principal>),
    /// The provider's keys have never been there, so it cannot be told.
    NoKeys,
}

impl Provider {
    /// A provider. Keys in a file must be there at once; those behind an address may come later.
    ///
    /// # Errors
    /// When the keys' file cannot be read or holds none.
    pub async fn new(settings: Settings) -> Result<Self, KeysError> {
        verify::install();
        let keys = Keys::new(settings.keys.clone(), settings.pauses)?;
        if matches!(settings.keys, KeySource::File(_)) {
            keys.renew().await?;
        }
        Ok(Self { settings, keys })
    }

    /// Keeps the provider's keys up to date; does not return.
    pub(crate) async fn keep_fresh(&self) {
        self.keys.keep_fresh().await;
    }

    /// Whether a text has the form of a token that a provider could have made: three parts, the first a JSON object.
    pub(crate) fn could_be_token(text: &str) -> bool {
        text.starts_with("ey") && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Whom a token stands for, as of `now`. Whether there is such an account is another question.
    pub(crate) async fn holder(&self, token: &str, now: Timestamp) -> Result<Principal, Bad> {
        let foreign = |why: &dyn std::fmt::Display| {
            debug!(%why, "a token is not one of the provider's");
            Bad::Foreign
        };
        if token.len() > MAX_TOKEN_BYTES {
            return Err(foreign(&"it is too long"));
        }
        let header = decode_header(token).map_err(|error| foreign(&error))?;
        if header.crit.is_some() {
            return Err(foreign(&"its header has critical extensions"));
        }
        let is_known = self.keys.known().is_some_and(|keys| keys.iter().any(|key| key.fits(&header)));
        if !is_known {
            self.keys.look_again().await;
        }
        let keys = self.keys.known().ok_or(Bad::NoKeys)?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&self.settings.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = self.settings.leeway;
        validation.validate_nbf = true;
        // That its time is over is told last, and only of a token that is good in every other way.
        validation.validate_exp = false;
        let mut why = None;
        for key in keys.iter().filter(|key| key.fits(&header)) {
            match decode::<Map<String, Value>>(token, &key.key, &validation) {
                Ok(token) => return self.principal(&token.claims, now).ok_or_else(|| foreign(&"a claim is wrong"))?,
                Err(error) => why = Some(error),
            }
        }
        Err(why.map_or_else(|| foreign(&"no key fits"), |error| foreign(&error)))
    }

    /// What the claims say, whose signature, issuer and audience are right.
    fn principal(&self, claims: &Map<String, Value>, now: Timestamp) -> Option<Result<Principal, Bad>> {
        let text = |name: &str| claims.get(name)?.as_str().filter(|text| !text.is_empty());
        // An issuer is one text, whatever else the library takes for one.
        if text("iss") != Some(&self.settings.issuer) {
            return None;
        }
        let account = AccountId::parse(claim(claims, &self.settings.account_claim)?.as_str()?).ok()?;
        let actor = Actor {
            id: text("sub")?.to_owned(),
            name: text("name").map(str::to_owned),
            email: text("email").map(str::to_owned),
        };
        let scopes = scopes(claim(claims, &self.settings.scope_claim));
        let end = claims.get("exp")?.as_f64()?;
        // Seconds that no clock will show are as good as the last that one can.
        let is_over = end + self.settings.leeway as f64 <= now.micros() as f64 / 1e6;
        let expires_at = Timestamp::from_micros((end * 1e6) as i64).ok();
        let principal = Principal { account, token_id: None, scopes, expires_at, actor };
        Some(if is_over { Err(Bad::Expired(Box::new(principal))) } else { Ok(principal) })
    }
}

fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    match name.strip_prefix('/') {
        None => claims.get(name),
        Some(rest) => {
            let (first, rest) = rest.split_once('/').map_or((rest, ""), |(first, _)| (first, &name[1 + first.len()..]));
            claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
        }
    }
}

/// The scopes that are named. Providers name others too, which say nothing here.
fn scopes(claim: Option<&Value>) -> Scopes {
    let names: Vec<&str> = match claim {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
    };
    names.into_iter().filter_map(|name| name.parse::<Scope>().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        let Value::Object(claims) = value else { panic!("claims are an object") };
        claims
    }

    #[test]
    fn a_claim_is_found_by_its_name_or_by_a_pointer_into_it() {
        let claims = claims(json!({
            "account": "a", "https://x.example/account": "b", "realm": { "account": { "id": "c" } }, "a/b": ["d"],
        }));
        for (name, value) in [
            ("account", Some("a")),
            ("https://x.example/account", Some("b")),
            ("/realm/account/id", Some("c")),
            ("/a~1b/0", Some("d")),
            ("/account", Some("a")),
            ("realm.account.id", None),
            ("/realm/nothing", None),
            ("/", None),
        ] {
            assert_eq!(claim(&claims, name).and_then(Value::as_str), value, "{name}");
        }
    }

    #[test]
    fn scopes_are_a_text_or_an_array_and_others_say_nothing() {
        let expected: Scopes = [Scope::AuditRead, Scope::EventsWrite].into_iter().collect();
        assert_eq!(scopes(Some(&json!("openid audit:read  events:write email"))), expected);
        assert_eq!(scopes(Some(&json!(["audit:read", 7, "AUDIT:READ", "events:write"]))), expected);
        for nothing in [json!(null), json!(7), json!({"audit:read": true}), json!("audit:read,events:write"), json!("")]
        {
            assert!(scopes(Some(&nothing)).is_empty(), "{nothing}");
        }
        assert!(scopes(None).is_empty());
    }
}
