//! Media types, which have no case (RFC 2045), and may have parameters.

/// A media type without its parameters, in lower case.
pub(super) fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether data of this media type is JSON: its subtype is `json` or ends in `+json` (CloudEvents, JSON format, 3.1).
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = essence(media_type);
    let Some((_, subtype)) = essence.split_once('/') else { return false };
    subtype == "json" || subtype.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_many_media_types() {
        for json in
            ["application/json", "Application/JSON; charset=UTF-8", "text/json", "application/vnd.shop.v1+JSON ;a=b"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/plain", "application/json-seq", "application/x+jsonx", "json", "", "text/plain; a=/json"] {
            assert!(!is_json(other), "{other}");
        }
    }
}
