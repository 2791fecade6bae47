//! OTLP's `AnyValue`, compared with the JSON that it stands for.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct AnyValue {
    string_value: Option<String>,
    int_value: Option<String>,
    double_value: Option<Box<RawValue>>,
    bool_value: Option<bool>,
    array_value: Option<Values<AnyValue>>,
    kvlist_value: Option<Values<Attribute>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Values<T> {
    values: Vec<T>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    pub(super) value: AnyValue,
}

impl AnyValue {
    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let members = &self.kvlist_value.as_ref()?.values;
        members.iter().find(|attribute| attribute.key == name).map(|attribute| &attribute.value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.string_value.as_deref()
    }

    /// Whether it says the same as compact JSON. A number may stand as any of the three that can hold it, with its digits.
    pub(super) fn says(&self, json: &str) -> bool {
        match json.as_bytes()[0] {
            b'n' => self.is_nothing(),
            b't' | b'f' => self.bool_value.is_some_and(|value| value.to_string() == json),
            b'"' => self.string_value.as_deref() == Some(&*serde_json::from_str::<String>(json).unwrap()),
            b'[' => {
                let (Some(held), items) = (&self.array_value, serde_json::from_str::<Vec<&RawValue>>(json).unwrap())
                else {
                    return false;
                };
                held.values.len() == items.len()
                    && held.values.iter().zip(items).all(|(value, item)| value.says(item.get()))
            }
            b'{' => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
                let Some(held) = &self.kvlist_value else { return false };
                held.values.len() == members.len()
                    && members.iter().all(|(name, value)| self.member(name).is_some_and(|held| held.says(value.get())))
            }
            _ => {
                let double = self.double_value.as_deref().map(RawValue::get);
                [self.int_value.as_deref(), double, self.text()].into_iter().flatten().eq([json])
            }
        }
    }

    fn is_nothing(&self) -> bool {
        let Self { string_value, int_value, double_value, bool_value, array_value, kvlist_value } = self;
        string_value.is_none()
            && int_value.is_none()
            && double_value.is_none()
            && bool_value.is_none()
            && array_value.is_none()
            && kvlist_value.is_none()
    }
}
