//! What rows are counted by: fields of the language whose values stand in columns.

use model::filter::{Family as Language, Kind};
use model::nearest;
use serde::{Deserialize, Serialize};

use super::family::{Family, FieldOf};

/// A field that rows of a family can be counted by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "")]
pub struct Facet<F: Family> {
    name: String,
    field: FieldOf<F>,
}

/// Why rows cannot be counted by what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFacet {
    /// There is no such field.
    #[error("{name:?} is no field{}", .nearest.map(|name| format!(": is {name} meant?")).unwrap_or_default())]
    Unknown {
        /// As it was written.
        name: String,
        /// One that may have been meant.
        nearest: Option<&'static str>,
    },
    /// Its values stand in no column.
    #[error("{name} is no field to count by; those are {}", .others.join(", "))]
    NotCounted {
        /// As it was written.
        name: String,
        /// Those that rows can be counted by.
        others: Vec<&'static str>,
    },
}

impl<F: Family> Facet<F> {
    /// The facet of a name, which may be any of those that a field has.
    ///
    /// # Errors
    /// [`NoFacet`].
    pub fn new(name: &str) -> Result<Self, NoFacet> {
        let name = name.to_owned();
        let Some(field) = F::Language::field(&name) else {
            // What is inside JSON is asked for by a path.
            let first = name.split('.').next().and_then(F::Language::field);
            if first.is_some_and(|field| F::Language::describe(field).kind == Kind::Json) {
                return Err(NoFacet::NotCounted { name, others: Self::names() });
            }
            let names =
                F::Language::fields().into_iter().filter(|field| F::is_facet(*field)).map(F::Language::describe);
            let names = names.flat_map(|field| [field.name].into_iter().chain(field.other_names.iter().copied()));
            return Err(NoFacet::Unknown { nearest: nearest(&name, names), name });
        };
        if F::is_facet(field) {
            Ok(Self { name, field })
        } else {
            Err(NoFacet::NotCounted { name, others: Self::names() })
        }
    }

    /// The names of all that there are.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let facets = F::Language::fields().into_iter().filter(|field| F::is_facet(*field));
        facets.map(|field| F::Language::describe(field).name).collect()
    }

    /// As it was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn field(&self) -> FieldOf<F> {
        self.field
    }
}

impl<F: Family> From<Facet<F>> for String {
    fn from(facet: Facet<F>) -> Self {
        facet.name
    }
}

impl<F: Family> TryFrom<String> for Facet<F> {
    type Error = NoFacet;

    fn try_from(name: String) -> Result<Self, NoFacet> {
        Self::new(&name)
    }
}
