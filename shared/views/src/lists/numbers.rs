//! Numbers for the values of a field, given as they are met.

use std::cell::{Cell, Ref, RefCell};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::rc::Rc;

use foldhash::fast::{FixedState, RandomState};

use super::columns::unjudged;
use super::valued::Valued;

/// Some of all values: those whose hash says so.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    /// Which.
    pub(crate) number: u64,
    /// Of how many.
    pub(crate) of: u64,
}

impl Share {
    pub(crate) const ALL: Self = Self { number: 0, of: 1 };

    fn has(self, value: &str) -> bool {
        self.of == 1 || FixedState::default().hash_one(value) % self.of == self.number
    }
}

/// The values of a field that are of a share. What rows count as is a list of them: of most fields one value or none.
pub(crate) struct Numbers<'a> {
    column: usize,
    beside: Option<usize>,
    classify: Box<segments::Classify<'a>>,
    met: Rc<RefCell<Met>>,
    is_full: Rc<Cell<bool>>,
}

/// What was met of them.
pub(crate) struct Met {
    numbers: HashMap<Box<str>, u32, RandomState>,
    /// The value of each number.
    pub(crate) values: Vec<Box<str>>,
    /// The class of each value that is alone, as most are; [`UNKNOWN`] where it was not asked for.
    alone: Vec<u32>,
    classes: HashMap<Box<[u32]>, u32, RandomState>,
    /// The list of values, by their numbers, of each class; the first is the one of none.
    pub(crate) lists: Vec<Box<[u32]>>,
    /// The list that was met last: its memory is used again.
    list: Vec<u32>,
}

/// No class yet.
const UNKNOWN: u32 = u32::MAX;

impl<'a> Numbers<'a> {
    /// No more than `most` of them have numbers.
    pub(crate) fn new(field: &'a Valued<'a>, share: Share, most: usize) -> Self {
        let (met, is_full) = (Rc::new(RefCell::new(Met::nothing())), Rc::new(Cell::new(false)));
        let classify = {
            let (met, is_full) = (met.clone(), is_full.clone());
            move |symbol: &[u8], beside: &[u8]| {
                if is_full.get() {
                    return Ok(None);
                }
                let mut met = met.borrow_mut();
                let mut list = std::mem::take(&mut met.list);
                list.clear();
                let mut is_of_share = true;
                let read = (field.values)(symbol, beside, &mut |value| {
                    is_of_share &= !list.is_empty() || share.has(value);
                    if is_of_share {
                        list.push(met.number(value));
                    }
                });
                read.map_err(unjudged)?;
                if met.values.len() > most {
                    is_full.set(true);
                    *met = Met::nothing();
                    is_of_share = false;
                }
                let class = is_of_share.then(|| met.class(&list));
                met.list = list;
                Ok(class)
            }
        };
        Self { column: field.column, beside: field.beside, classify: Box::new(classify), met, is_full }
    }

    /// What rows are counted by.
    pub(crate) fn facet(&self) -> segments::Facet<'_> {
        segments::Facet { column: self.column, beside: self.beside, classify: &*self.classify }
    }

    /// Whether there are more values than have numbers, so that counts are of no use.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full.get()
    }

    pub(crate) fn met(&self) -> Ref<'_, Met> {
        self.met.borrow()
    }
}

impl Met {
    fn nothing() -> Self {
        let none: Box<[u32]> = Box::default();
        let classes = [(none.clone(), 0)].into_iter().collect();
        let (numbers, values, alone, list) = (HashMap::default(), Vec::new(), Vec::new(), Vec::new());
        Self { numbers, values, alone, classes, lists: vec![none], list }
    }

    fn number(&mut self, value: &str) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = next(self.values.len());
        self.numbers.insert(value.into(), number);
        self.values.push(value.into());
        self.alone.push(UNKNOWN);
        number
    }

    fn class(&mut self, list: &[u32]) -> u32 {
        let alone = if let [value] = list { self.alone.get_mut(*value as usize) } else { None };
        if let Some(class) = alone {
            if *class == UNKNOWN {
                *class = next(self.lists.len());
                self.lists.push(list.into());
            }
            return *class;
        }
        if let Some(class) = self.classes.get(list) {
            return *class;
        }
        let class = next(self.lists.len());
        self.classes.insert(list.into(), class);
        self.lists.push(list.into());
        class
    }
}

/// There are no more of them than rows are in a few shares, far less than 32 bits count.
fn next(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
