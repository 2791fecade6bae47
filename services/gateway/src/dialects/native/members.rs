//! Bodies of Flowtrail's own API: objects of known members, read strictly and refused by name.
//!
//! Invariant: what a body holds is not repeated in a refusal; it may be a secret.

use model::{json, nearest};
use serde_json::{Map, Value};

use crate::render::refusal::Refusal;

/// The members of a body that were not taken out yet.
#[derive(Debug)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Reads an object that has no members but these.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn read(body: &[u8], known: &[&str]) -> Result<Self, Refusal> {
        let Ok(Value::Object(members)) = json::read(body) else {
            return Err(Refusal::field("body", "must be a JSON object"));
        };
        match members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(match nearest(name, known.iter().copied()) {
                Some(meant) => Refusal::field(name, format_args!("is no member here: is {meant} meant?")),
                None => Refusal::field(name, format_args!("is no member here; known are {}", known.join(", "))),
            }),
            None => Ok(Self(members)),
        }
    }

    /// A text; none where it is not given.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::field(name, "must be a string")),
        }
    }

    /// The same, where null is an empty text.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn text_or_null(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        if self.is_null(name) { Ok(Some(String::new())) } else { self.text(name) }
    }

    /// Texts, where null is none of them; none where they are not given.
    ///
    /// # Errors
    /// When they are something else.
    pub(super) fn texts_or_null(&mut self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        if self.is_null(name) {
            return Ok(Some(Vec::new()));
        }
        let wrong = || Refusal::field(name, "must be an array of strings");
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let Value::Array(items) = value else { return Err(wrong()) };
        let text = |item| if let Value::String(text) = item { Ok(text) } else { Err(wrong()) };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// Whether something is so; none where it is not given.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Refusal::field(name, "must be true or false")),
        }
    }

    /// One of several names, as what it stands for.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let chosen = choices.iter().find(|(choice, _)| *choice == text).map(|(_, chosen)| *chosen);
        chosen.map(Some).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            Refusal::field(name, format_args!("must be one of {}", names.join(", ")))
        })
    }

    fn is_null(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_null)
    }
}

/// What must be there.
///
/// # Errors
/// When it is not; it names it.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::field(name, "is required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> String {
        refused.unwrap_err().to_string()
    }

    fn members(body: &str) -> Result<Members, Refusal> {
        Members::read(body.as_bytes(), &["name", "shared", "columns"])
    }

    #[test]
    fn a_member_that_is_not_known_is_refused_with_the_one_that_was_meant() {
        assert_eq!(why(members(r#"{"nam":1}"#)), "nam: is no member here: is name meant?");
        assert_eq!(why(members(r#"{"q":1}"#)), "q: is no member here; known are name, shared, columns");
        for body in ["", "null", "[]", "\"x\"", "{", "{} {}", "a=b"] {
            assert_eq!(why(members(body)), "body: must be a JSON object", "{body:?}");
        }
    }

    #[test]
    fn a_wrong_type_is_refused_by_name_and_not_repeated() {
        let mut wrong = members(r#"{"name":7131,"shared":"yes","columns":["a",7131]}"#).unwrap();
        assert_eq!(why(wrong.texts_or_null("columns")), "columns: must be an array of strings");
        assert_eq!(why(wrong.flag("shared")), "shared: must be true or false");
        assert_eq!(why(wrong.text_or_null("name")), "name: must be a string");
        let choices = [("audit", 1), ("traffic", 2)];
        assert_eq!(
            why(members(r#"{"name":"x"}"#).unwrap().choice("name", &choices)),
            "name: must be one of audit, traffic"
        );
    }

    #[test]
    fn null_takes_away_what_may_be_taken_away() {
        let nulls = || members(r#"{"name":null,"columns":null,"shared":null}"#).unwrap();
        assert_eq!(nulls().text_or_null("name"), Ok(Some(String::new())));
        assert_eq!(nulls().texts_or_null("columns"), Ok(Some(Vec::new())));
        assert_eq!(why(nulls().text("name")), "name: must be a string");
        assert_eq!(why(nulls().flag("shared")), "shared: must be true or false");
        let mut nothing = members("{}").unwrap();
        assert_eq!((nothing.text_or_null("name"), nothing.texts_or_null("columns")), (Ok(None), Ok(None)));
    }
}
