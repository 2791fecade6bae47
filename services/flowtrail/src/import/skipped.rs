//! Records that hold no event and are not wrong: why, and how many of each kind.

use std::collections::BTreeMap;
use std::fmt;

use crate::terminal::visible;

/// Why a record is passed over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skipped {
    /// It tells of the file: the names of its fields, when it was opened.
    Header,
    /// A line of a VPC flow log for a time without traffic, or of which nothing was kept.
    NoFlow,
    /// A record of another log than the one that is imported, by its name.
    OtherLog(String),
    /// What CloudTrail writes to prove that its files are whole.
    Digest,
    /// What CloudWatch sends to see whether its receiver is there.
    HealthCheck,
    /// What Flowtrail sent to try a receiver.
    Test,
    /// An event that another format of `flowtrail import` reads, by its name.
    ForFormat(&'static str),
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => formatter.write_str("header lines"),
            Self::NoFlow => formatter.write_str("lines without a flow"),
            Self::OtherLog(name) => write!(formatter, "of {}.log", visible(name)),
            Self::Digest => formatter.write_str("digests"),
            Self::HealthCheck => formatter.write_str("health checks"),
            Self::Test => formatter.write_str("tests of a receiver"),
            Self::ForFormat(name) => write!(formatter, "for `flowtrail import {name}`"),
        }
    }
}

/// How many records were passed over, by why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SkipCounts(BTreeMap<Skipped, u64>);

impl SkipCounts {
    pub(super) fn add(&mut self, why: Skipped) {
        *self.0.entry(why).or_default() += 1;
    }
}

/// `5 skipped`, or `5 skipped (header lines 3, digests 2)`.
impl fmt::Display for SkipCounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons: Vec<String> = self.0.iter().map(|(why, count)| format!("{why} {count}")).collect();
        write!(formatter, "{} skipped", self.0.values().sum::<u64>())?;
        if reasons.is_empty() { Ok(()) } else { write!(formatter, " ({})", reasons.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_with_its_count() {
        let mut counts = SkipCounts::default();
        assert_eq!(counts.to_string(), "0 skipped");
        for why in [Skipped::OtherLog("dns".into()), Skipped::Header, Skipped::OtherLog("dns".into())] {
            counts.add(why);
        }
        assert_eq!(counts.to_string(), "3 skipped (header lines 1, of dns.log 2)");
    }
}
