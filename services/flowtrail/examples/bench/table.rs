//! A table for people: what was measured, then columns; the first to the left, the others to the right.

use std::fmt;

pub(crate) struct Table {
    /// What is measured, exactly.
    title: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header: Vec<String> = self.columns.iter().map(|column| (*column).to_owned()).collect();
        let lines = || std::iter::once(&header).chain(&self.rows);
        let width = |column: usize| lines().filter_map(|line| Some(line.get(column)?.chars().count())).max();
        let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or_default()).collect();
        writeln!(formatter, "{}", self.title)?;
        for line in lines() {
            for (index, (cell, width)) in line.iter().zip(&widths).enumerate() {
                match index {
                    0 => write!(formatter, "  {cell:<width$}")?,
                    _ => write!(formatter, "   {cell:>width$}")?,
                }
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}
