//! Values of a traffic report's fields that are no texts.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::endpoint::EndpointType;
use crate::json::count;
use crate::time::Timestamp;

/// What happened to a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EventType {
    #[default]
    #[serde(rename = "TYPE_UNKNOWN")]
    Unknown,
    #[serde(rename = "TYPE_START")]
    Start,
    #[serde(rename = "TYPE_END")]
    End,
    #[serde(rename = "TYPE_DROP")]
    Drop,
}

/// Which way the traffic went, seen from the reporter. Unknown sorts first, so that folding prefers what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Direction {
    #[default]
    #[serde(rename = "DIRECTION_UNKNOWN")]
    Unknown,
    #[serde(rename = "INGRESS")]
    Ingress,
    #[serde(rename = "EGRESS")]
    Egress,
}

/// ICMP type and code of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct IcmpData {
    /// The message's type, as IANA numbers them: 8 is an echo request.
    #[serde(rename = "type", deserialize_with = "count")]
    pub icmp_type: u8,
    /// What the code means depends on the type.
    #[serde(deserialize_with = "count")]
    pub code: u8,
}

/// Something that happened to a flow, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SubEvent {
    /// The time by the reporter's clock.
    pub timestamp: Timestamp,
    /// What happened at that time.
    #[serde(rename = "type")]
    pub event_type: EventType,
}

/// A value that a record keeps of its reports. Of two, the greater stands, and what is not known is the least.
pub trait Value: Copy + Ord + Serialize + DeserializeOwned {
    /// How it is stored, in a word: a stored row is read by the words that it was written by.
    const FORM: &'static str;

    /// What a table of columns holds of it: each with the end of the column's name, where it takes more than one.
    fn cells(self, put: &mut impl FnMut(&'static str, Cell));

    /// Writes it as a record's JSON has it.
    ///
    /// # Errors
    /// When the serializer fails.
    fn write_kept<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    /// Reads what [`write_kept`](Self::write_kept) wrote.
    ///
    /// # Errors
    /// When it is no such value.
    fn read_kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// What stands in one column; none: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types say it")]
pub enum Cell {
    Name(Option<&'static str>),
    Number(Option<u64>),
    Time(Option<Timestamp>),
}

impl Value for u64 {
    const FORM: &'static str = "u64";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        put("", Cell::Number(Some(self)));
    }
}

impl Value for Option<u16> {
    const FORM: &'static str = "u16?";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        put("", Cell::Number(self.map(u64::from)));
    }
}

impl Value for Option<Timestamp> {
    const FORM: &'static str = "time?";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        put("", Cell::Time(self));
    }
}

impl Value for EndpointType {
    const FORM: &'static str = "endpoint type";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        put("", Cell::Name(Some(self.name())));
    }
}

impl Value for Direction {
    const FORM: &'static str = "direction";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        let name = match self {
            Self::Unknown => None,
            Self::Ingress => Some("INGRESS"),
            Self::Egress => Some("EGRESS"),
        };
        put("", Cell::Name(name));
    }
}

impl Value for Option<IcmpData> {
    const FORM: &'static str = "icmp?";

    fn cells(self, put: &mut impl FnMut(&'static str, Cell)) {
        put("_type", Cell::Number(self.map(|icmp| icmp.icmp_type.into())));
        put("_code", Cell::Number(self.map(|icmp| icmp.code.into())));
    }

    fn write_kept<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.map(|IcmpData { icmp_type, code }| KeptIcmp { icmp_type, code }).serialize(serializer)
    }

    fn read_kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let kept = Option::<KeptIcmp>::deserialize(deserializer)?;
        Ok(kept.map(|KeptIcmp { icmp_type, code }| IcmpData { icmp_type, code }))
    }
}

/// In a record the type is called otherwise than in a report.
#[derive(Serialize, Deserialize)]
struct KeptIcmp {
    icmp_type: u8,
    code: u8,
}
