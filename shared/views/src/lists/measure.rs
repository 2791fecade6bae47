//! What is measured of rows: fields of the language whose numbers stand in columns.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::family::Family;

/// A field whose numbers are summed up.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "")]
pub struct Measure<F: Family> {
    /// Its place among those of the family.
    place: usize,
    family: PhantomData<F>,
}

/// What nothing is measured by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is measured by {0:?}")]
pub struct NoMeasure(String);

impl<F: Family> Measure<F> {
    /// All that there are.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..F::MEASURES.len()).map(|place| Self { place, family: PhantomData })
    }

    /// The name of the field.
    #[must_use]
    pub fn name(&self) -> &'static str {
        F::MEASURES[self.place].0
    }

    pub(crate) fn numbers(&self) -> segments::Measure {
        F::MEASURES[self.place].1
    }
}

impl<F: Family> From<Measure<F>> for String {
    fn from(measure: Measure<F>) -> Self {
        measure.name().to_owned()
    }
}

impl<F: Family> TryFrom<String> for Measure<F> {
    type Error = NoMeasure;

    fn try_from(name: String) -> Result<Self, NoMeasure> {
        Self::all().find(|measure| measure.name() == name).ok_or(NoMeasure(name))
    }
}
