//! Query parameters: read strictly, refused by name.
//!
//! An empty text is a parameter that is not given, because forms send those; an empty number, time or choice is wrong.
//! A parameter that is given twice where once is meant is wrong too: either value would be a guess.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use form_urlencoded::Serializer;
use model::nearest;
use model::paging::Period;
use model::time::Timestamp;
use percent_encoding::percent_decode_str;

use crate::render::refusal::Refusal;

/// What `reads` may be.
pub(crate) const READS: [(&str, ()); 1] = [("include", ())];
/// What the description of the API says of the parameter.
pub(crate) const ABOUT_READS: &str = "`include`: also records of reads, which are else only listed by type or group.";

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes a query apart.
    ///
    /// # Errors
    /// When something in it is no UTF-8.
    pub(crate) fn parse(query: Option<&str>) -> Result<Self, Refusal> {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded("query", name)?;
            let value = decoded(&name, value)?;
            Ok((name, value))
        };
        Ok(Self(pairs.map(read).collect::<Result<_, Refusal>>()?))
    }

    /// Refuses a parameter that is none of these.
    ///
    /// # Errors
    /// When there is one.
    pub(crate) fn are_among(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) if known.is_empty() => Err(Refusal::field(name, "is no parameter here; there are none")),
            Some((name, _)) => Err(match nearest(name, known.iter().copied()) {
                Some(meant) => Refusal::field(name, format_args!("is no parameter here: is {meant} meant?")),
                None => Refusal::field(name, format_args!("is no parameter here; known are {}", known.join(", "))),
            }),
            None => Ok(()),
        }
    }

    /// A text; none when it is empty.
    ///
    /// # Errors
    /// When it is given twice.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(self.single(name)?.filter(|text| !text.is_empty()).map(str::to_owned))
    }

    /// All texts of this name, without those that are empty.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let all = self.0.iter().filter(|(other, text)| other == name && !text.is_empty());
        all.map(|(_, text)| text.clone()).collect()
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// When it is something else, or given twice.
    pub(crate) fn number<T>(&self, name: &str, bounds: RangeInclusive<T>) -> Result<Option<T>, Refusal>
    where
        T: Copy + Display + FromStr + PartialOrd,
    {
        let Some(text) = self.single(name)? else { return Ok(None) };
        // Digits alone: the type's own reader would take a plus sign too.
        let number = Some(text).filter(|text| is_digits(text)).and_then(|text| text.parse().ok());
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return Ok(Some(number));
        }
        let (least, most) = bounds.into_inner();
        Err(Refusal::field(name, format_args!("must be a whole number from {least} to {most}")))
    }

    /// A whole number of any size; one that is too large for 64 bits becomes the one nearest to it.
    ///
    /// # Errors
    /// When it is something else, or given twice.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.single(name)? else { return Ok(None) };
        let (digits, nearest) = text.strip_prefix('-').map_or((text, i64::MAX), |digits| (digits, i64::MIN));
        if !is_digits(digits) {
            return Err(Refusal::field(name, "must be a whole number"));
        }
        Ok(Some(text.parse().unwrap_or(nearest)))
    }

    /// One of several names, as what it stands for.
    ///
    /// # Errors
    /// When it is something else, or given twice.
    pub(crate) fn choice<T: Clone>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(text) = self.single(name)? else { return Ok(None) };
        if let Some((_, chosen)) = choices.iter().find(|(choice, _)| *choice == text) {
            return Ok(Some(chosen.clone()));
        }
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        Err(Refusal::field(name, format_args!("must be one of {}", names.join(", "))))
    }

    /// The period from `start_date` to `end_date`.
    ///
    /// # Errors
    /// When one of them is no RFC 3339 time, or given twice.
    pub(crate) fn period(&self) -> Result<Period, Refusal> {
        Ok(Period { from: self.time("start_date")?, to: self.time("end_date")? })
    }

    /// Whether records of reads are wanted too.
    ///
    /// # Errors
    /// When it says something else, or twice.
    pub(crate) fn includes_reads(&self) -> Result<bool, Refusal> {
        Ok(self.choice("reads", &READS)?.is_some())
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.single(name)? else { return Ok(None) };
        // In a query a plus sign means a space, and many clients write the plus of an offset as it is.
        let time = Timestamp::parse(text).or_else(|_| Timestamp::parse(&text.replace(' ', "+")));
        time.map(Some).map_err(|problem| Refusal::field(name, problem))
    }

    fn single(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Refusal::field(name, "must be given only once")),
            (only, None) => Ok(only),
        }
    }

    /// The same query for the next page: with another cursor, and without `left_out`.
    pub(crate) fn with_cursor(&self, cursor: &str, left_out: &[&str]) -> String {
        let mut query = Serializer::new(String::new());
        let kept = self.0.iter().filter(|(name, _)| name != "cursor" && !left_out.contains(&name.as_str()));
        query.extend_pairs(kept).append_pair("cursor", cursor);
        query.finish()
    }
}

fn decoded(name: &str, text: &str) -> Result<String, Refusal> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| Refusal::field(name, "must be UTF-8"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
