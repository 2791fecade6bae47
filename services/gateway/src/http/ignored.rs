//! What of a request says nothing: parameters that its operation does not know. The dialects' originals ignore them, so
//! nobody is refused for one, but who mistypes a filter is told that it is none.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub(crate) const IGNORED: HeaderName = HeaderName::from_static("flowtrail-ignored");
/// Longer lists end in [`MORE`].
const MAX_BYTES: usize = 1024;
const BETWEEN: &str = ", ";
/// Stands for all further names; no name is written so.
const MORE: &str = "...";
/// What names have of these is escaped, so that each of them can be read out of the header again.
const NOT_IN_NAMES: &AsciiSet = &CONTROLS.add(b' ').add(b',').add(b'%');

/// The names of an operation's parameters.
pub(crate) type Known = Arc<[&'static str]>;

/// The members of a body that a handler does not know, which it leaves with its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct IgnoredMembers(pub(crate) Vec<String>);

/// Names in the answer what was ignored: of the query, then of the body.
pub(crate) async fn tell_ignored(State(known): State<Known>, request: Request, next: Next) -> Response {
    let mut ignored = request.uri().query().map(|query| unknown(query, &known)).unwrap_or_default();
    let mut response = next.run(request).await;
    if let Some(IgnoredMembers(members)) = response.extensions_mut().remove() {
        ignored.extend(members);
    }
    // Of a request that is refused nothing was carried out.
    if response.status().is_success()
        && let Some(names) = listed(&ignored)
    {
        response.headers_mut().insert(IGNORED, names);
    }
    response
}

fn unknown(query: &str, known: &[&str]) -> Vec<String> {
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
    names.filter(|name| !known.contains(&&**name)).map(Cow::into_owned).collect()
}

/// Each name once, in their order; none where there is none.
fn listed(names: &[String]) -> Option<HeaderValue> {
    let mut told = HashSet::new();
    let mut text = String::new();
    for name in names.iter().filter(|name| !name.is_empty() && told.insert(name.as_str())) {
        let name = match utf8_percent_encode(name, NOT_IN_NAMES).to_string() {
            dots if dots == MORE => "%2E..".to_owned(),
            name => name,
        };
        if !text.is_empty() {
            text.push_str(BETWEEN);
        }
        if text.len() + name.len() + BETWEEN.len() + MORE.len() > MAX_BYTES {
            text.push_str(MORE);
            break;
        }
        text.push_str(&name);
    }
    // What is escaped so is visible ASCII.
    HeaderValue::try_from(text).ok().filter(|names| !names.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str) -> Option<String> {
        listed(&unknown(query, &["limit", "search"])).map(|names| names.to_str().unwrap().to_owned())
    }

    #[test]
    fn each_name_that_is_not_known_is_told_once_and_in_order() {
        assert_eq!(told("limit=1&search=x&"), None);
        assert_eq!(told("").or_else(|| told("=x&&")), None);
        assert_eq!(told("serach=x&limit=1&Limit=2&serach=y&b").as_deref(), Some("serach, Limit, b"));
        assert_eq!(told("li%6dit=1&se%61rhc=1").as_deref(), Some("searhc"));
    }

    #[test]
    fn a_name_of_any_characters_is_told_in_visible_ascii() {
        let query = "a+b=1&%C3%A4=1&x%2Cy=1&%0d%0a=1&100%25=1&...=1&%FF=1";
        assert_eq!(told(query).as_deref(), Some("a%20b, %C3%A4, x%2Cy, %0D%0A, 100%25, %2E.., %EF%BF%BD"));
    }

    #[test]
    fn a_list_has_an_end_whatever_is_sent() {
        let many: String = (0..5000).map(|number| format!("parameter{number}&")).collect();
        let list = told(&many).unwrap();
        assert!(list.starts_with("parameter0, parameter1, ") && list.ends_with(", ..."), "{list}");
        assert!((MAX_BYTES - 30..=MAX_BYTES).contains(&list.len()), "{}", list.len());
        assert_eq!(told(&"x".repeat(5000)).as_deref(), Some("..."));
    }
}
