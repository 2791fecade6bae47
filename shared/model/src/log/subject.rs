//! Subjects: `flowtrail.v1.<family>.<account>.<rest>`, except dead letters, whose view comes before the account.

use std::fmt;

use super::account::AccountId;
use super::stream::Stream;
use super::token::{is_token, token};

const PREFIX: &str = "flowtrail.v1";

/// A subject that events are published on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    stream: Stream,
    account: AccountId,
    rest: Vec<String>,
}

/// The subject is none of Flowtrail's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("subject: must be flowtrail.v1.<family>.<account>.<name>, each part 1 to 64 characters of A-Z a-z 0-9 _ -")]
pub struct BadSubject;

impl Subject {
    /// `flowtrail.v1.audit.<account>.<source>`; a source that is no token is escaped.
    #[must_use]
    pub fn audit(account: &AccountId, source: &str) -> Self {
        Self::new(Stream::Audit, account, &[source])
    }

    /// `flowtrail.v1.traffic.<account>.<reporter>`; a reporter that is no token is escaped.
    #[must_use]
    pub fn traffic(account: &AccountId, reporter: &str) -> Self {
        Self::new(Stream::Traffic, account, &[reporter])
    }

    /// `flowtrail.v1.integration.<account>.<id>`.
    #[must_use]
    pub fn integration(account: &AccountId, id: u64) -> Self {
        Self::new(Stream::Integration, account, &[&id.to_string()])
    }

    /// `flowtrail.v1.access.<account>.<kind>.<id>`; kind is `account`, `user`, `token` or `person`.
    #[must_use]
    pub fn access(account: &AccountId, kind: &str, id: &str) -> Self {
        Self::new(Stream::Access, account, &[kind, id])
    }

    /// `flowtrail.v1.directory.<account>.<kind>.<id>`; an id that is no token is escaped.
    #[must_use]
    pub fn directory(account: &AccountId, kind: &str, id: &str) -> Self {
        Self::new(Stream::Directory, account, &[kind, id])
    }

    /// `flowtrail.v1.search.<account>.<id>`.
    #[must_use]
    pub fn search(account: &AccountId, id: &str) -> Self {
        Self::new(Stream::Search, account, &[id])
    }

    /// `flowtrail.v1.delivery.<account>.<id>`.
    #[must_use]
    pub fn delivery(account: &AccountId, id: u64) -> Self {
        Self::new(Stream::Delivery, account, &[&id.to_string()])
    }

    /// `flowtrail.v1.dead_letter.<view>.<account>`.
    #[must_use]
    pub fn dead_letter(view: &str, account: &AccountId) -> Self {
        Self::new(Stream::DeadLetter, account, &[view])
    }

    fn new(stream: Stream, account: &AccountId, rest: &[&str]) -> Self {
        Self { stream, account: account.clone(), rest: rest.iter().map(|part| token(part)).collect() }
    }

    /// Reads a subject as it came with a message.
    ///
    /// # Errors
    /// When it does not have the form of one of Flowtrail's event subjects.
    pub fn parse(text: &str) -> Result<Self, BadSubject> {
        let tail = text.strip_prefix(PREFIX).and_then(|tail| tail.strip_prefix('.')).ok_or(BadSubject)?;
        let mut parts: Vec<&str> = tail.split('.').collect();
        let family = parts.remove(0);
        let stream = Stream::ALL.into_iter().find(|stream| stream.family() == family).ok_or(BadSubject)?;
        let wanted = match stream {
            Stream::Access | Stream::Directory => 3,
            Stream::Audit
            | Stream::Traffic
            | Stream::Integration
            | Stream::Search
            | Stream::Delivery
            | Stream::DeadLetter => 2,
        };
        if parts.len() != wanted || !parts.iter().all(|part| is_token(part)) {
            return Err(BadSubject);
        }
        let account = parts.remove(if stream == Stream::DeadLetter { 1 } else { 0 });
        Ok(Self {
            stream,
            account: AccountId::parse(account).map_err(|_| BadSubject)?,
            rest: parts.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The stream that holds this subject.
    #[must_use]
    pub fn stream(&self) -> Stream {
        self.stream
    }

    /// The account that the message belongs to, whatever its payload says.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The last token: source, reporter, id or view.
    #[must_use]
    pub fn name(&self) -> &str {
        self.rest.last().map_or("", String::as_str)
    }

    /// The token before the last, where a family has one (`access`, `directory`).
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.rest.len().checked_sub(2).map(|index| self.rest[index].as_str())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{PREFIX}.{}", self.stream.family())?;
        if self.stream == Stream::DeadLetter {
            return write!(formatter, ".{}.{}", self.name(), self.account);
        }
        write!(formatter, ".{}", self.account)?;
        self.rest.iter().try_for_each(|part| write!(formatter, ".{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main() -> AccountId {
        AccountId::parse("main").unwrap()
    }

    #[test]
    fn every_subject_reads_back_as_written() {
        let subjects = [
            Subject::audit(&main(), "billing"),
            Subject::traffic(&main(), "peer-1"),
            Subject::integration(&main(), 7),
            Subject::search(&main(), "01J"),
            Subject::delivery(&main(), 7),
            Subject::access(&main(), "token", "01J"),
            Subject::directory(&main(), "peer", "p1"),
            Subject::dead_letter("audit", &main()),
        ];
        for subject in subjects {
            assert_eq!(Subject::parse(&subject.to_string()), Ok(subject));
        }
    }

    #[test]
    fn a_foreign_form_is_refused() {
        for text in [
            "",
            "flowtrail.v1",
            "flowtrail.v1.audit.main",
            "flowtrail.v1.audit.a b.c",
            "flowtrail.v2.audit.main.x",
            "flowtrail.v1.audit.main.x.y",
        ] {
            assert_eq!(Subject::parse(text), Err(BadSubject), "{text}");
        }
    }
}
