use unicode_width::UnicodeWidthChar;

use super::escape::{Erase, Piece};

/// An overdrawn line that is wider is one row on no real terminal.
const MAX_COLUMNS: usize = 4096;
/// Cells that may be written or erased per byte of text.
const STEPS_PER_BYTE: usize = 64;
const TAB: usize = 8;

#[derive(Clone, Copy)]
enum Cell {
    Char(char),
    /// The second column of a wide character.
    Wide,
    /// The first column of a tab that was written where nothing stood.
    Tab,
    /// A further column of a tab.
    InTab,
    Blank,
}

/// One row of a terminal.
pub(super) struct Row {
    cells: Vec<Cell>,
    column: usize,
    /// What is left of the work that the text may cost.
    steps: usize,
}

impl Row {
    /// A row for the overdrawn lines of a text of so many bytes.
    pub(super) const fn new(bytes: usize) -> Self {
        Self { cells: Vec::new(), column: 0, steps: bytes.saturating_mul(STEPS_PER_BYTE) }
    }

    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.column = 0;
    }

    /// `None` where terminals differ, or where it would be too much work.
    pub(super) fn apply(&mut self, piece: Piece<'_>) -> Option<()> {
        match piece {
            Piece::Text(text) => self.write(text),
            Piece::Nothing => Some(()),
            Piece::Return => self.move_to(0),
            Piece::Left(columns) => self.move_to(self.column.saturating_sub(columns)),
            Piece::Right(columns) => self.move_to(self.column.saturating_add(columns)),
            Piece::Column(column) => self.move_to(column),
            Piece::Erase(Erase::Right) => self.erase(self.column, self.cells.len()),
            Piece::Erase(Erase::Left) => self.erase(0, self.column + 1),
            Piece::Erase(Erase::Line) => self.erase(0, self.cells.len()),
            Piece::Erase(Erase::Columns(columns)) => {
                self.erase(self.column, self.column.saturating_add(columns))
            }
            Piece::Unclear => None,
        }
    }

    /// Appends what the row shows, without the blanks at its end.
    pub(super) fn append_to(&self, out: &mut String) {
        let start = out.len();
        for cell in &self.cells {
            match cell {
                Cell::Char(char) => out.push(*char),
                Cell::Tab => out.push('\t'),
                Cell::Blank => out.push(' '),
                Cell::Wide | Cell::InTab => {}
            }
        }
        let shown = out.get(start..).map_or(0, |row| row.trim_end_matches([' ', '\t']).len());
        out.truncate(start + shown);
    }

    fn move_to(&mut self, column: usize) -> Option<()> {
        (column < MAX_COLUMNS).then(|| self.column = column)
    }

    fn spend(&mut self, steps: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(steps)?;
        Some(())
    }

    fn write(&mut self, text: &str) -> Option<()> {
        for char in text.chars() {
            match char {
                ' '..='~' => self.put(&[Cell::Char(char)])?,
                '\x07' => {}
                '\t' => self.tab()?,
                // Combining and other control characters: terminals differ.
                _ => match char.width()? {
                    1 => self.put(&[Cell::Char(char)])?,
                    2 => self.put(&[Cell::Char(char), Cell::Wide])?,
                    _ => return None,
                },
            }
        }
        Some(())
    }

    /// A tab moves on and erases nothing.
    fn tab(&mut self) -> Option<()> {
        const CELLS: [Cell; TAB] = {
            let mut cells = [Cell::InTab; TAB];
            cells[0] = Cell::Tab;
            cells
        };
        let columns = TAB - self.column % TAB;
        if self.column < self.cells.len() {
            return self.move_to(self.column + columns);
        }
        self.put(CELLS.get(..columns)?)
    }

    fn put(&mut self, cells: &[Cell]) -> Option<()> {
        let end = self.column + cells.len();
        self.move_to(end)?;
        let start = end - cells.len();
        self.spend(end.saturating_sub(self.cells.len().min(start)))?;
        self.part(start)?;
        self.part(end)?;
        if self.cells.len() < end {
            self.cells.resize(end, Cell::Blank);
        }
        self.cells.get_mut(start..end)?.copy_from_slice(cells);
        Some(())
    }

    fn erase(&mut self, from: usize, to: usize) -> Option<()> {
        let to = to.min(self.cells.len());
        if from >= to {
            return Some(());
        }
        self.part(from)?;
        self.part(to)?;
        if to == self.cells.len() {
            self.cells.truncate(from);
            return Some(());
        }
        self.spend(to - from)?;
        self.cells.get_mut(from..to)?.fill(Cell::Blank);
        Some(())
    }

    /// Makes sure that nothing spans the border before this column: a tab becomes the blanks that it shows.
    /// `None` for a wide character, of which terminals leave different halves.
    fn part(&mut self, column: usize) -> Option<()> {
        match self.cells.get(column) {
            Some(Cell::Wide) => return None,
            Some(Cell::InTab) => {}
            _ => return Some(()),
        }
        let (before, after) = self.cells.split_at_mut_checked(column)?;
        after.iter_mut().take_while(|cell| matches!(cell, Cell::InTab)).for_each(|cell| *cell = Cell::Blank);
        for cell in before.iter_mut().rev() {
            let start = matches!(cell, Cell::Tab);
            *cell = Cell::Blank;
            if start {
                break;
            }
        }
        Some(())
    }
}
