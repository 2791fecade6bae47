//! Zeek's own form of a log: lines that begin with `#` say how the values are separated and which there are, every
//! other line is a record.

use std::str::FromStr;

use super::super::draft::Rejected;
use super::super::times;
use super::connection::{CONN, Connection, NOT_CONN, Time, Transport, WRONG_TIME};

/// What the header lines of a file have said so far. A header may come again, as where files were joined.
pub(crate) struct Header {
    separator: String,
    unset: String,
    empty: String,
    log: Option<String>,
    /// Empty before a line that names the fields.
    columns: Vec<Column>,
}

/// A field of the log, as far as it is read. The others are there so that values are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Ts,
    Uid,
    OrigH,
    OrigP,
    RespH,
    RespP,
    Proto,
    IpProto,
    Duration,
    ConnState,
    History,
    OrigBytes,
    OrigIpBytes,
    OrigPkts,
    RespBytes,
    RespIpBytes,
    RespPkts,
    LocalOrig,
    LocalResp,
    SystemName,
    Other,
}

impl Default for Header {
    /// What Zeek writes unless it is told otherwise.
    fn default() -> Self {
        let (separator, unset, empty) = ("\t".to_owned(), "-".to_owned(), "(empty)".to_owned());
        Self { separator, unset, empty, log: None, columns: Vec::new() }
    }
}

impl Header {
    /// Reads a line that begins with `#`.
    ///
    /// # Errors
    /// When it names fields that no conn.log has.
    pub(super) fn read(&mut self, line: &str) -> Result<(), Rejected> {
        if let Some(separator) = line.strip_prefix("#separator ") {
            // A header starts here: nothing of the one before counts.
            *self = Self { separator: unescaped(separator), ..Self::default() };
            return Ok(());
        }
        let (name, value) = line.split_once(self.separator.as_str()).unwrap_or((line, ""));
        match name {
            "#unset_field" => value.clone_into(&mut self.unset),
            "#empty_field" => value.clone_into(&mut self.empty),
            "#path" => self.log = Some(value.to_owned()),
            "#fields" => {
                self.columns = value.split(self.separator.as_str()).map(Column::named).collect();
                let is_of_conn_log =
                    |column: &Column| matches!(column, Column::ConnState | Column::OrigPkts | Column::History);
                if self.log.is_none() && !self.columns.iter().any(is_of_conn_log) {
                    self.log = Some("another".to_owned());
                    return Err(Rejected::field("#fields", NOT_CONN));
                }
            }
            // Opened, closed, the types of the fields, how sets are separated, or a remark.
            _ => {}
        }
        Ok(())
    }

    /// The log that the records below are of, when it is another than the one that is read.
    pub(super) fn other_log(&self) -> Option<&str> {
        self.log.as_deref().filter(|log| *log != CONN)
    }

    /// Whether the fields were named.
    pub(super) fn names_fields(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Reads a record.
    pub(super) fn connection(&self, line: &str) -> Result<Connection, Rejected> {
        let mut connection = Connection::default();
        let mut values = line.split(self.separator.as_str());
        for column in &self.columns {
            // Where nothing stands for a value that is not set, the end of the line was cut off with the blanks.
            let value = values.next().or_else(|| self.unset.is_empty().then_some(""));
            let Some(value) = value else { return Err(self.wrong_count(line)) };
            if value != self.unset && value != self.empty {
                column.set(&mut connection, value)?;
            }
        }
        if values.next().is_some() { Err(self.wrong_count(line)) } else { Ok(connection) }
    }

    fn wrong_count(&self, line: &str) -> Rejected {
        let (found, named) = (line.split(self.separator.as_str()).count(), self.columns.len());
        Rejected::field("line", format!("has {found} fields, but #fields names {named}"))
    }
}

impl Column {
    fn named(name: &str) -> Self {
        match name {
            "ts" => Self::Ts,
            "uid" => Self::Uid,
            "id.orig_h" | "id_orig_h" => Self::OrigH,
            "id.orig_p" | "id_orig_p" => Self::OrigP,
            "id.resp_h" | "id_resp_h" => Self::RespH,
            "id.resp_p" | "id_resp_p" => Self::RespP,
            "proto" => Self::Proto,
            "ip_proto" => Self::IpProto,
            "duration" => Self::Duration,
            "conn_state" => Self::ConnState,
            "history" => Self::History,
            "orig_bytes" => Self::OrigBytes,
            "orig_ip_bytes" => Self::OrigIpBytes,
            "orig_pkts" => Self::OrigPkts,
            "resp_bytes" => Self::RespBytes,
            "resp_ip_bytes" => Self::RespIpBytes,
            "resp_pkts" => Self::RespPkts,
            "local_orig" => Self::LocalOrig,
            "local_resp" => Self::LocalResp,
            "_system_name" => Self::SystemName,
            _ => Self::Other,
        }
    }

    fn set(self, into: &mut Connection, value: &str) -> Result<(), Rejected> {
        match self {
            Self::Ts => {
                let time = times::of_text(value).ok_or_else(|| Rejected::field("ts", WRONG_TIME))?;
                into.ts = Some(Time(time));
            }
            Self::Uid => into.uid = Some(unescaped(value)),
            Self::OrigH => into.orig_h = Some(read("id.orig_h", value, "an address")?),
            Self::OrigP => into.orig_p = Some(read("id.orig_p", value, "a port")?),
            Self::RespH => into.resp_h = Some(read("id.resp_h", value, "an address")?),
            Self::RespP => into.resp_p = Some(read("id.resp_p", value, "a port")?),
            Self::Proto => into.proto = Some(transport(value)?),
            Self::IpProto => into.ip_proto = Some(read("ip_proto", value, "a number up to 255")?),
            Self::Duration => into.duration = Some(read("duration", value, "a number of seconds")?),
            Self::ConnState => into.conn_state = Some(value.to_owned()),
            Self::OrigBytes => into.orig_bytes = Some(read("orig_bytes", value, COUNT)?),
            Self::OrigIpBytes => into.orig_ip_bytes = Some(read("orig_ip_bytes", value, COUNT)?),
            Self::OrigPkts => into.orig_pkts = Some(read("orig_pkts", value, COUNT)?),
            Self::RespBytes => into.resp_bytes = Some(read("resp_bytes", value, COUNT)?),
            Self::RespIpBytes => into.resp_ip_bytes = Some(read("resp_ip_bytes", value, COUNT)?),
            Self::RespPkts => into.resp_pkts = Some(read("resp_pkts", value, COUNT)?),
            Self::LocalOrig => into.local_orig = Some(truth("local_orig", value)?),
            Self::LocalResp => into.local_resp = Some(truth("local_resp", value)?),
            Self::SystemName => into.system_name = Some(unescaped(value)),
            Self::History | Self::Other => {}
        }
        Ok(())
    }
}

const COUNT: &str = "a whole number";

fn read<T: FromStr>(field: &str, value: &str, expected: &str) -> Result<T, Rejected> {
    value.parse().map_err(|_| Rejected::field(field, format!("must be {expected}, not {value:?}")))
}

fn transport(value: &str) -> Result<Transport, Rejected> {
    match value {
        "tcp" => Ok(Transport::Tcp),
        "udp" => Ok(Transport::Udp),
        "icmp" => Ok(Transport::Icmp),
        "unknown_transport" => Ok(Transport::Unknown),
        _ => Err(Rejected::field("proto", format!("must be tcp, udp, icmp or unknown_transport, not {value:?}"))),
    }
}

fn truth(field: &str, value: &str) -> Result<bool, Rejected> {
    match value {
        "T" => Ok(true),
        "F" => Ok(false),
        _ => Err(Rejected::field(field, format!("must be T or F, not {value:?}"))),
    }
}

/// Zeek writes what would be taken for something else as `\x09`, byte by byte.
fn unescaped(text: &str) -> String {
    if !text.contains("\\x") {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = rest.strip_prefix(b"\\x").and_then(|tail| tail.get(..2));
        let byte = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &rest[4..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
