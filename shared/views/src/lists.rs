//! Lists of many rows in columns: what the audit and traffic views have in common.

pub(crate) mod bounds;
mod buckets;
pub(crate) mod columns;
mod export;
mod facet;
mod facets;
mod family;
mod finding;
mod histogram;
mod measure;
mod numbers;
mod page;
mod top;
pub(crate) mod valued;
mod values;

pub use bounds::Bounds;
pub use buckets::MIN_BUCKETS;
pub use export::{Export, Exported, Step};
pub use facet::{Facet, NoFacet};
pub use facets::{Facets, FacetsOf, Pairs, PairsOf};
pub use family::{Effort, Family, FieldOf};
pub use histogram::{Histogram, HistogramOf, Split};
pub use measure::{Measure, NoMeasure};
pub use page::{List, Selection};
pub use segments::Amount;
pub use top::{Counted, Others, Top};
pub use valued::{Take, Valued, ValuesOf};
