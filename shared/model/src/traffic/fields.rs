//! The fields of a traffic report, each in one table: its names, its type, and where it stands in a stored row.
//!
//! A new field is a member of [`Reported`], or of one of its parts, and a row of the table, which is the function `each`
//! of that type. How reports are read and what is published as JSON follow from the members; how reports fold into a
//! record, what is stored of it and how that is read, a record's JSON and the columns of an archive follow from the table.
//!
//! The table is a function and no constant, so that the compiler makes straight code of every walk along it: rows are
//! written and read by the million.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{Direction, EventType, IcmpData, SubEvent, Value};
use crate::endpoint::{EndpointType, GeoLocation};
use crate::json::{count, filled, integer, or_default};
use crate::time::Timestamp;

/// The CloudEvents type of [`Reported`].
pub const REPORTED: &str = "flowtrail.traffic.reported.v1";

/// One end of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "Endpoint", bound = "S: JsonSchema + Serialize + Default")]
pub struct Endpoint<S = String> {
    /// Peer or resource id.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// What kind of thing it is; default: the directory's.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub endpoint_type: EndpointType,
    /// Its name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
    /// Where it is; default: the directory's.
    #[serde(deserialize_with = "or_default")]
    pub geo_location: GeoLocation<S>,
    /// Its operating system; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub os: Option<S>,
    /// `ip:port`, or `[ip]:port` for IPv6.
    #[serde(deserialize_with = "filled")]
    pub address: Option<S>,
    /// Its DNS name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub dns_label: Option<S>,
}

/// The user behind a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "User", bound = "S: JsonSchema + Serialize + Default")]
pub struct User<S = String> {
    /// The id that the directory knows them by.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// Their e-mail address; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub email: Option<S>,
    /// Their name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
}

/// The policy that allowed a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "Policy", bound = "S: JsonSchema + Serialize + Default")]
pub struct Policy<S = String> {
    /// The id that the directory knows it by.
    #[serde(deserialize_with = "filled")]
    pub id: Option<S>,
    /// Its name; default: the directory's.
    #[serde(deserialize_with = "filled")]
    pub name: Option<S>,
}

/// The `data` of a traffic report, as publishers write it. All optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "Reported", bound = "S: JsonSchema + Serialize + Default")]
pub struct Reported<S = String> {
    /// The flow; default: the event id, for a drop has a flow of its own.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<S>,
    /// What happened; it is one of `events`, at the CloudEvent's time.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// Who saw it; default: the last token of the subject.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub reporter_id: Option<S>,
    /// The end that the flow came from.
    #[serde(deserialize_with = "or_default")]
    pub source: Endpoint<S>,
    /// The end that the flow went to.
    #[serde(deserialize_with = "or_default")]
    pub destination: Endpoint<S>,
    /// The user behind it.
    #[serde(deserialize_with = "or_default")]
    pub user: User<S>,
    /// The policy that allowed it.
    #[serde(deserialize_with = "or_default")]
    pub policy: Policy<S>,
    /// ICMP type and code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icmp: Option<IcmpData>,
    /// The IP protocol, by its IANA number: 6 is TCP.
    #[serde(deserialize_with = "integer", skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u16>,
    /// Which way it went.
    #[serde(deserialize_with = "or_default")]
    pub direction: Direction,
    /// Bytes received so far: of several reports the greatest number stands.
    #[serde(deserialize_with = "count")]
    pub rx_bytes: u64,
    /// Packets received so far.
    #[serde(deserialize_with = "count")]
    pub rx_packets: u64,
    /// Bytes sent so far.
    #[serde(deserialize_with = "count")]
    pub tx_bytes: u64,
    /// Packets sent so far.
    #[serde(deserialize_with = "count")]
    pub tx_packets: u64,
    /// How many connections started in the window.
    #[serde(deserialize_with = "count")]
    pub num_of_starts: u64,
    /// How many connections ended in it.
    #[serde(deserialize_with = "count")]
    pub num_of_ends: u64,
    /// How many connections were dropped in it.
    #[serde(deserialize_with = "count")]
    pub num_of_drops: u64,
    /// The start of the window that the report sums up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_start: Option<Timestamp>,
    /// The end of that window; default: the time of the latest event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_end: Option<Timestamp>,
    /// What happened, where several reports are folded already.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<SubEvent>,
    /// When given, must be the account of the subject.
    #[serde(deserialize_with = "filled", skip_serializing_if = "Option::is_none")]
    pub account_id: Option<S>,
}

/// What is said of a field in the table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in a report's JSON, within its part.
    pub name: &'static str,
    /// Its name in a record's JSON.
    pub kept_as: &'static str,
    /// Where it stands in a stored row.
    pub place: FieldPlace,
}

/// Where a field stands in a stored row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldPlace {
    /// In the column of its part, or one of its own.
    Column,
    /// No column: it is read only where the whole row is.
    Tail,
}

/// What is done with each field of a report, next to the same field of another one. Where there is but one, the other is a
/// `Reported<()>`, which says nothing.
pub trait Visit<'a, S, T> {
    /// Why it ended early.
    type Error;

    /// The fields that follow are of this part; the empty text: of the report itself.
    fn enter(&mut self, _part: &'static str) {}

    /// Looks at a text.
    ///
    /// # Errors
    /// Ends the walk.
    fn text(&mut self, field: Field, one: &mut Option<S>, other: &'a Option<T>) -> Result<(), Self::Error>;

    /// Looks at anything else.
    ///
    /// # Errors
    /// Ends the walk.
    fn value<V: Value>(&mut self, field: Field, one: &mut V, other: &'a V) -> Result<(), Self::Error>;
}

impl<S> Endpoint<S> {
    /// The table of an endpoint's fields.
    ///
    /// # Errors
    /// When `visit` ends the walk.
    #[inline]
    pub fn each<'a, T, V: Visit<'a, S, T>>(&mut self, other: &'a Endpoint<T>, visit: &mut V) -> Result<(), V::Error> {
        visit.text(column("id"), &mut self.id, &other.id)?;
        visit.value(column("type"), &mut self.endpoint_type, &other.endpoint_type)?;
        visit.text(column("name"), &mut self.name, &other.name)?;
        visit.text(column("address"), &mut self.address, &other.address)?;
        visit.text(column("os"), &mut self.os, &other.os)?;
        visit.text(column("dns_label"), &mut self.dns_label, &other.dns_label)?;
        let (place, others) = (&mut self.geo_location, &other.geo_location);
        visit.text(column("city_name"), &mut place.city_name, &others.city_name)?;
        visit.text(column("country_code"), &mut place.country_code, &others.country_code)
    }
}

impl<S> User<S> {
    /// The table of a user's fields.
    ///
    /// # Errors
    /// When `visit` ends the walk.
    #[inline]
    pub fn each<'a, T, V: Visit<'a, S, T>>(&mut self, other: &'a User<T>, visit: &mut V) -> Result<(), V::Error> {
        visit.text(column("id"), &mut self.id, &other.id)?;
        visit.text(column("email"), &mut self.email, &other.email)?;
        visit.text(column("name"), &mut self.name, &other.name)
    }
}

impl<S> Policy<S> {
    /// The table of a policy's fields.
    ///
    /// # Errors
    /// When `visit` ends the walk.
    #[inline]
    pub fn each<'a, T, V: Visit<'a, S, T>>(&mut self, other: &'a Policy<T>, visit: &mut V) -> Result<(), V::Error> {
        visit.text(column("id"), &mut self.id, &other.id)?;
        visit.text(column("name"), &mut self.name, &other.name)
    }
}

impl<S> Reported<S> {
    /// The table of the fields that are of no part. Those that a record keeps in another form, or not at all, are not in it.
    ///
    /// # Errors
    /// When `visit` ends the walk.
    #[inline]
    pub fn each_own<'a, T, V: Visit<'a, S, T>>(
        &mut self,
        other: &'a Reported<T>,
        visit: &mut V,
    ) -> Result<(), V::Error> {
        visit.value(column("direction"), &mut self.direction, &other.direction)?;
        visit.value(column("protocol"), &mut self.protocol, &other.protocol)?;
        visit.value(tail("icmp"), &mut self.icmp, &other.icmp)?;
        visit.value(tail("rx_bytes"), &mut self.rx_bytes, &other.rx_bytes)?;
        visit.value(tail("rx_packets"), &mut self.rx_packets, &other.rx_packets)?;
        visit.value(tail("tx_bytes"), &mut self.tx_bytes, &other.tx_bytes)?;
        visit.value(tail("tx_packets"), &mut self.tx_packets, &other.tx_packets)?;
        visit.value(tail("num_of_starts").kept_as("given_starts"), &mut self.num_of_starts, &other.num_of_starts)?;
        visit.value(tail("num_of_ends").kept_as("given_ends"), &mut self.num_of_ends, &other.num_of_ends)?;
        visit.value(tail("num_of_drops").kept_as("given_drops"), &mut self.num_of_drops, &other.num_of_drops)?;
        visit.value(tail("window_end").kept_as("given_window_end"), &mut self.window_end, &other.window_end)
    }

    /// The table: every field that a record keeps of its reports, part by part.
    ///
    /// # Errors
    /// When `visit` ends the walk.
    #[inline]
    pub fn each<'a, T, V: Visit<'a, S, T>>(&mut self, other: &'a Reported<T>, visit: &mut V) -> Result<(), V::Error> {
        visit.enter("user");
        self.user.each(&other.user, visit)?;
        visit.enter("policy");
        self.policy.each(&other.policy, visit)?;
        visit.enter("");
        self.each_own(other, visit)?;
        visit.enter("source");
        self.source.each(&other.source, visit)?;
        visit.enter("destination");
        self.destination.each(&other.destination, visit)
    }
}

const fn column(name: &'static str) -> Field {
    Field { name, kept_as: name, place: FieldPlace::Column }
}

const fn tail(name: &'static str) -> Field {
    Field { name, kept_as: name, place: FieldPlace::Tail }
}

impl Field {
    const fn kept_as(self, kept_as: &'static str) -> Self {
        Self { kept_as, ..self }
    }
}

/// A number that is another one when the table is: rows that were stored by another table cannot be read by this one.
#[must_use]
pub fn fingerprint() -> u32 {
    /// FNV-1a, which needs no more than this.
    struct Fingerprint(u32);

    impl Fingerprint {
        fn add(&mut self, text: &str) {
            // What ends a text is no byte of any.
            for byte in text.bytes().chain([0xff]) {
                self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            }
        }

        fn add_field(&mut self, field: Field, form: &str) {
            self.add(field.name);
            self.add(form);
            self.0 ^= field.place as u32;
        }
    }

    impl Visit<'_, (), ()> for Fingerprint {
        type Error = std::convert::Infallible;

        fn enter(&mut self, part: &'static str) {
            self.add(part);
        }

        fn text(&mut self, field: Field, _: &mut Option<()>, _: &Option<()>) -> Result<(), Self::Error> {
            self.add_field(field, "text");
            Ok(())
        }

        fn value<V: Value>(&mut self, field: Field, _: &mut V, _: &V) -> Result<(), Self::Error> {
            self.add_field(field, V::FORM);
            Ok(())
        }
    }

    let mut fingerprint = Fingerprint(0x811c_9dc5);
    let Ok(()) = Reported::default().each(&Reported::default(), &mut fingerprint);
    fingerprint.0
}

#[cfg(test)]
mod tests;
