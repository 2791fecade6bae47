//! The rows of vRNI's audit log. They have no ids, so two rows that are alike to the last letter are one event, and
//! what Flowtrail itself answered in this form cannot be told from something new.

use model::audit::Fields;
use serde_json::value::RawValue;

use super::draft::{Draft, Mapped, Rejected, id_of_text, to_text};
use super::item::Item;
use super::{addresses, times};

/// What vRNI says of what went well.
const SUCCESS: &str = "SUCCESS";

/// Whether an item is such a row.
pub(super) fn is_row(item: &Item<'_>) -> bool {
    let has_code = item.has("event_type") || item.has("activity_code");
    !has_code && item.has("operation") && item.get("timestamp").is_some_and(is_number)
}

/// Maps one.
pub(super) fn map(text: &str, item: &Item<'_>) -> Result<Mapped<'static>, Rejected> {
    let seconds = item.get("timestamp").and_then(|value| value.get().parse().ok());
    let time = seconds.and_then(|seconds| times::of_number(seconds).ok());
    let time = time.ok_or_else(|| Rejected::field("timestamp", "must be seconds since 1970"))?;
    let (operation, response) = (item.text("operation").unwrap_or_default(), item.text("response"));
    let kind = item.text("entity_type");
    let event_type = [kind.as_deref(), Some(&operation)].into_iter().flatten().map(word).collect::<Vec<_>>().join(".");
    let ip_address = item.text("ip_address").map(|address| addresses::respelled(&address).unwrap_or(address));
    let status = response.as_deref().map(|said| if said.eq_ignore_ascii_case(SUCCESS) { "success" } else { "failure" });
    let data = Fields {
        event_type: Some(event_type),
        status: status.map(str::to_owned),
        actor_id: item.text("user_name"),
        user_name: item.text("user_name"),
        resource_type: kind,
        resource_id: item.text("entity_id"),
        ip_address,
        operation: Some(operation),
        response,
        value: item.text("value"),
        ..Fields::default()
    };
    Ok(Mapped::Event(Draft { id: id_of_text("vrni", text), time: Some(time), data: to_text(&data)?.into() }))
}

fn is_number(value: &RawValue) -> bool {
    value.get().starts_with(|first: char| first.is_ascii_digit())
}

fn word(text: &str) -> String {
    text.to_lowercase().replace(|letter: char| !letter.is_alphanumeric(), "_")
}
