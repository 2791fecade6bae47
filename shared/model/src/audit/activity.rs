//! The activity codes that NetBird knows, with their texts.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Activity {
    activity_code: String,
    activity: String,
}

static KNOWN: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    // The table is compiled in, and a test reads it: an empty one is never seen.
    let table: Vec<Activity> = serde_json::from_str(include_str!("activity_codes.json")).unwrap_or_default();
    table.into_iter().map(|entry| (entry.activity_code, entry.activity)).collect()
});

/// NetBird's text for an activity code, such as `Route created` for `route.add`.
#[must_use]
pub fn known_text(code: &str) -> Option<&'static str> {
    KNOWN.get(code).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_codes_are_known() {
        assert_eq!(KNOWN.len(), 143);
        assert_eq!(known_text("route.add"), Some("Route created"));
    }
}
