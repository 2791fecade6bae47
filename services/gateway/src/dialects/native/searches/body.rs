//! The bodies that make and change a saved search.

use model::search::{Change, Definition, Family};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::dialects::native::members::{Members, required};
use crate::render::refusal::Refusal;

/// The families by name.
pub(super) const FAMILIES: [(&str, Family); 2] = [("audit", Family::Audit), ("traffic", Family::Traffic)];
const MEMBERS: [&str; 7] = ["name", "family", "q", "from", "to", "columns", "shared"];

/// Reads the body of a POST, in which name and family are required.
///
/// # Errors
/// When something is missing, of a wrong type or not known.
pub(super) fn create(body: &[u8]) -> Result<Definition, Refusal> {
    let Change { name, family, q, from, to, columns, shared } = update(body)?;
    Ok(Definition {
        name: required("name", name)?,
        family: required("family", family)?,
        q: q.unwrap_or_default(),
        from: from.filter(|text| !text.is_empty()),
        to: to.filter(|text| !text.is_empty()),
        columns: columns.filter(|columns| !columns.is_empty()),
        shared: shared.unwrap_or_default(),
    })
}

/// Reads the body of a PUT, in which everything is optional.
///
/// # Errors
/// When something is of a wrong type or not known.
pub(super) fn update(body: &[u8]) -> Result<Change, Refusal> {
    let mut members = Members::read(body, &MEMBERS)?;
    Ok(Change {
        name: members.text("name")?,
        family: members.choice("family", &FAMILIES)?,
        q: members.text("q")?,
        from: members.text_or_null("from")?,
        to: members.text_or_null("to")?,
        columns: members.texts_or_null("columns")?,
        shared: members.flag("shared")?,
    })
}

/// What [`create`] reads.
pub(super) fn create_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": properties(),
        "required": ["name", "family"],
        "additionalProperties": false,
    })
}

/// What [`update`] reads.
pub(super) fn update_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "properties": properties(), "additionalProperties": false })
}

fn properties() -> Value {
    let time = |text: &str| json!({ "type": ["string", "null"], "description": text });
    json!({
        "name": { "type": "string", "minLength": 1, "maxLength": 100 },
        "family": { "type": "string", "enum": FAMILIES.map(|(name, _)| name), "description": "Never changes." },
        "q": { "type": "string", "description": "In the language that `docs/query.md` describes; empty: everything." },
        "from": time("From this time on, such as `now-1h`; it is kept as it is written."),
        "to": time("Up to this time."),
        "columns": {
            "type": ["array", "null"],
            "items": { "type": "string" },
            "maxItems": 50,
            "description": "The fields that are shown, in this order; without any, the usual ones.",
        },
        "shared": { "type": "boolean", "description": "Whether others in the account see it." },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_family_are_enough_to_save_a_search() {
        let name = "Denied".to_owned();
        let (q, from, to, columns) = (String::new(), None, None, None);
        let expected = Definition { name, family: Family::Audit, q, from, to, columns, shared: false };
        for more in ["", r#","q":"","from":"","to":null,"columns":[],"shared":false"#] {
            assert_eq!(
                create(format!(r#"{{"name":"Denied","family":"audit"{more}}}"#).as_bytes()),
                Ok(expected.clone())
            );
        }
        let why = |body: &str| create(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(why("{}"), "name: is required");
        assert_eq!(why(r#"{"name":"x"}"#), "family: is required");
        assert_eq!(why(r#"{"name":"x","family":"dns"}"#), "family: must be one of audit, traffic");
    }

    #[test]
    fn a_change_names_what_changes_and_takes_away_what_is_null() {
        assert_eq!(update(b"{}"), Ok(Change::default()));
        let taken = Change { from: Some(String::new()), columns: Some(Vec::new()), ..Change::default() };
        assert_eq!(update(br#"{"from":null,"columns":null}"#), Ok(taken));
        assert_eq!(update(br#"{"q":null}"#), Err(Refusal::Invalid("q: must be a string".to_owned())));
    }
}
