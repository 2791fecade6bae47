//! Bodies read strictly: a wrong type is refused by the name of its field, and no value is repeated to anybody.

use model::json;
use serde_json::{Map, Value};

use crate::render::refusal::Refusal;

/// The members of an object. Those that nobody asks for say nothing, and are [`left`](Self::left).
#[derive(Debug)]
pub(super) struct Fields {
    /// Where it stands in the body, with a dot at its end; empty for the body itself.
    within: String,
    members: Map<String, Value>,
    /// What was left of the objects that stand in it.
    left_within: Vec<String>,
}

impl Fields {
    /// Reads a body; an empty one is an object without members.
    ///
    /// # Errors
    /// When it is something else.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::new(String::new(), Map::new()));
        }
        match json::read(body) {
            Ok(Value::Object(members)) => Ok(Self::new(String::new(), members)),
            // What the reader says of a body that is no JSON could quote a password.
            Ok(_) | Err(_) => Err(Refusal::field("body", "must be a JSON object")),
        }
    }

    fn new(within: String, members: Map<String, Value>) -> Self {
        Self { within, members, left_within: Vec::new() }
    }

    /// Takes a text out.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    /// Takes an integer of 64 bits out.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.members.remove(name) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or_else(|| self.wrong(name, "must be an integer of 64 bits")),
        }
    }

    /// Takes an object out.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, Refusal> {
        match self.members.remove(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self::new(format!("{}{name}.", self.within), members))),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    /// Puts back what is left of an object that was taken out.
    pub(super) fn put_back(&mut self, inner: Self) {
        self.left_within.extend(inner.left());
    }

    /// The names of the members that were not taken out.
    pub(super) fn left(self) -> Vec<String> {
        let Self { within, members, left_within } = self;
        members.into_iter().map(|(name, _)| within.clone() + &name).chain(left_within).collect()
    }

    /// Says what is wrong with a member.
    pub(super) fn wrong(&self, name: &str, problem: &str) -> Refusal {
        Refusal::field(&format!("{}{name}", self.within), problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_has_no_members() {
        for body in ["", " \r\n", "{}"] {
            assert_eq!(Fields::read(body.as_bytes()).unwrap().text("a"), Ok(None), "{body:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_not_repeated() {
        for body in ["hunter2", "\"hunter2\"", "[]", "null", "{\"password\":hunter2}", "{", "\u{feff}{}"] {
            let refused = Fields::read(body.as_bytes()).unwrap_err();
            assert_eq!(refused, Refusal::field("body", "must be a JSON object"), "{body}");
        }
        let mut fields =
            Fields::read(br#"{"a":1,"b":null,"c":"7","d":1.5,"e":{"f":[]},"g":99999999999999999999}"#).unwrap();
        let wrong = |name, problem| Refusal::field(name, problem);
        assert_eq!(fields.text("a"), Err(wrong("a", "must be a string")));
        assert_eq!(fields.text("b"), Err(wrong("b", "must be a string")));
        for name in ["c", "d", "g"] {
            assert_eq!(fields.integer(name), Err(wrong(name, "must be an integer of 64 bits")));
        }
        let mut inner = fields.object("e").unwrap().unwrap();
        assert_eq!(inner.object("f").unwrap_err(), wrong("e.f", "must be an object"));
    }

    #[test]
    fn what_nobody_asks_for_is_left_by_name() {
        let mut fields = Fields::read(br#"{"a":1,"b":"x","c":{"d":1,"e":2}}"#).unwrap();
        let mut inner = fields.object("c").unwrap().unwrap();
        assert_eq!((fields.text("b"), inner.integer("e")), (Ok(Some("x".to_owned())), Ok(Some(2))));
        fields.put_back(inner);
        assert_eq!(fields.left(), ["a", "c.d"]);
    }
}
