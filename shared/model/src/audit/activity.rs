//! The activity codes that NetBird knows, with their texts.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Activity {
    activity_code: String,
    activity: String,
}

static KNOWN: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| table().map(|entry| (entry.activity_code, entry.activity)).collect());

/// Codes by their texts in lower case. Of two codes with one text, the first in the table stands.
static CODES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for entry in table() {
        codes.entry(entry.activity.to_lowercase()).or_insert(entry.activity_code);
    }
    codes
});

fn table() -> impl Iterator<Item = Activity> {
    // The table is compiled in, and a test reads it: an empty one is never seen.
    let table: Vec<Activity> = serde_json::from_str(include_str!("activity_codes.json")).unwrap_or_default();
    table.into_iter()
}

/// NetBird's text for an activity code, such as `Route created` for `route.add`.
#[must_use]
pub fn known_text(code: &str) -> Option<&'static str> {
    KNOWN.get(code).map(String::as_str)
}

/// The activity code for NetBird's text, in any case: what its event streaming sends has the text alone.
#[must_use]
pub fn known_code(text: &str) -> Option<&'static str> {
    CODES.get(&text.to_lowercase()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_codes_are_known() {
        assert_eq!(KNOWN.len(), 143);
        assert_eq!(known_text("route.add"), Some("Route created"));
    }

    #[test]
    fn a_text_leads_back_to_its_code() {
        assert_eq!(known_code("route CREATED"), Some("route.add"));
        // The only text that two codes have.
        assert_eq!(known_code("Peer added"), Some("peer.user.add"));
        assert_eq!(CODES.len(), KNOWN.len() - 1);
        assert_eq!(known_code("Something else"), None);
    }
}
