//! What the lists are asked: each question in a few variants, since one user or hour is not like another.

use crate::audit::CODES;
use crate::client::{ALIVE, AUDIT, TRAFFIC, limit_of};
use crate::traffic::hour;
use crate::world::{COMMON_TEXT, RARE_TEXT, World};

const ROWS: u32 = 50;
/// Of a filter with at least twice as many rows before its end.
const FAR_PAGE: u64 = 1000;

/// The parameters of a request.
type Parameters = Vec<(&'static str, String)>;

pub(crate) struct List {
    pub(crate) name: String,
    pub(crate) path: &'static str,
    pub(crate) variants: Vec<Parameters>,
}

/// Every question, to a system with so many records.
pub(crate) fn all(world: &World, records: u64) -> Vec<List> {
    let far = FAR_PAGE.min(records / (2 * u64::from(ROWS))).max(1);
    let user = |rank: usize| vec![("user_id", world.users[rank].id.clone().unwrap_or_default())];
    let reporter_day = |(rank, day): (usize, u32)| {
        let reporter = ("reporter_id", world.peers[rank].endpoint.id.clone().unwrap_or_default());
        [vec![reporter], period((day, 0), (day + 1, 0))].concat()
    };
    let week =
        |day: u32| [fixed(&[("protocol", "17"), ("direction", "EGRESS")]), period((day, 0), (day + 7, 0))].concat();
    let drops =
        |(day, hour): (u32, u32)| [fixed(&[("type", "TYPE_DROP")]), period((day, hour), (day, hour + 1))].concat();
    let code = |rank: usize| vec![("activity_code", CODES[rank].to_owned())];
    vec![
        List { name: "/healthz: the round trip itself".to_owned(), path: ALIVE, variants: vec![Vec::new()] },
        traffic("newest page", vec![Vec::new()]),
        traffic("by user", [0, 5, 20, 80, 200, 350].map(user).into()),
        traffic("by reporter, one day", [(0, 3), (5, 9), (50, 14), (300, 20), (1500, 25)].map(reporter_day).into()),
        traffic("by protocol and direction, one week", [0, 7, 14, 22].map(week).into()),
        traffic("search, common", vec![fixed(&[("search", COMMON_TEXT)])]),
        traffic("search, rare", vec![fixed(&[("search", RARE_TEXT)])]),
        traffic(
            &format!("page {far} of a protocol"),
            vec![vec![("protocol", "6".to_owned()), ("page", far.to_string())]],
        ),
        traffic("one hour's drops", [(2, 3), (11, 14), (19, 9), (28, 20)].map(drops).into()),
        audit("newest page", vec![Vec::new()]),
        audit("by activity_code", [0, 3, 11].map(code).into()),
    ]
}

fn traffic(name: &str, variants: Vec<Parameters>) -> List {
    list(format!("traffic: {name}"), TRAFFIC, variants)
}

fn audit(name: &str, variants: Vec<Parameters>) -> List {
    list(format!("audit: {name}"), AUDIT, variants)
}

fn list(name: String, path: &'static str, mut variants: Vec<Parameters>) -> List {
    variants.iter_mut().for_each(|parameters| parameters.push(limit_of(path, ROWS)));
    List { name, path, variants }
}

fn fixed(parameters: &[(&'static str, &str)]) -> Parameters {
    parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn period(from: (u32, u32), to: (u32, u32)) -> Parameters {
    vec![("start_date", hour(from.0, from.1).to_string()), ("end_date", hour(to.0, to.1).to_string())]
}
