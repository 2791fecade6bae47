//! What a stream says in its metadata of having been restored.
//!
//! Invariant: a restored stream is another log than the one that it was read out of, whatever its server takes over
//! from there. Views that were computed from the other one may have read further, or what stands elsewhere here.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// When it was restored: microseconds since 1970.
const AT: &str = "flowtrail-restored-at";
/// That it is not whole yet.
const UNFINISHED: &str = "flowtrail-restore-unfinished";
/// What the server says of itself, which is the next server's to say.
const SERVERS: &str = "_nats.";

/// When a stream with this metadata was restored: microseconds since 1970; none: it never was.
pub(crate) fn at(metadata: &HashMap<String, String>) -> Option<i64> {
    metadata.get(AT)?.parse().ok()
}

/// Whether a stream of this configuration is being written back, or was when that broke off.
pub(crate) fn is_unfinished(configuration: &Value) -> bool {
    !configuration["metadata"][UNFINISHED].is_null()
}

/// The configuration of a stream that is being written back: it hears none of its subjects, so that nobody's message
/// comes among those that it held, and it says that it is not whole.
pub(crate) fn unfinished(stream: &str, configuration: &Value, at: i64) -> Value {
    let mut fenced = finished(configuration, at);
    fenced["subjects"] = json!([format!("flowtrail.restoring.{stream}")]);
    fenced["metadata"][UNFINISHED] = "true".into();
    fenced
}

/// The configuration of a stream that is whole again: as it was, but for when it was restored.
pub(crate) fn finished(configuration: &Value, at: i64) -> Value {
    let mut configuration = configuration.clone();
    let mut metadata: Map<String, Value> = configuration["metadata"].as_object().cloned().unwrap_or_default();
    metadata.retain(|name, _| !name.starts_with(SERVERS));
    metadata.insert(AT.to_owned(), at.to_string().into());
    configuration["metadata"] = metadata.into();
    configuration
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_written_back_hears_nobody_until_it_is_whole() {
        let before = json!({
            "name": "A", "subjects": ["a.*"], "max_age": 5,
            "metadata": { "mine": "x", AT: "1", "_nats.level": "0" },
        });
        let fenced = unfinished("A", &before, 7);
        assert!(is_unfinished(&fenced) && !is_unfinished(&before));
        assert_eq!(fenced["subjects"], json!(["flowtrail.restoring.A"]));
        let whole = finished(&before, 7);
        let mut wanted = before.clone();
        wanted["metadata"] = json!({ "mine": "x", AT: "7" });
        assert_eq!(whole, wanted);
        let told = whole["metadata"].as_object().unwrap().iter();
        let told = told.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        assert_eq!(at(&told), Some(7));
        assert_eq!(at(&HashMap::new()), None);
        assert_eq!(finished(&json!({ "name": "A" }), 7), json!({ "name": "A", "metadata": { AT: "7" } }));
    }
}
