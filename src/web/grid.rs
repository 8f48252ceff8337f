//! The classes that put a session into its row and lane: a policy without inline styles wants them as rules.

use std::fmt::Write;

/// Rows and lanes that there are rules for; with more, a wide screen shows the list as a phone does.
pub(super) const MOST_ROWS: usize = 64;
pub(super) const MOST_LANES: usize = 8;

/// Lanes that fit on a sheet of A4 or Letter.
const MOST_PAPER_LANES: usize = 4;

/// What a lane needs beside the others to hold a title, in rem.
const LANE: usize = 17;
/// The times' column and the page's edges, in rem.
const MARGIN: usize = 11;

/// The rules, in force where the window has room for every lane.
pub(super) fn rules() -> String {
    let mut css = String::new();
    for row in 1..=MOST_ROWS {
        let _ = writeln!(css, ".r{row}{{grid-row-start:{row}}}.s{row}{{grid-row-end:span {row}}}");
    }
    for lanes in 2..=MOST_LANES {
        let width = MARGIN + LANE * lanes;
        // Paper is narrow, but its letters are small.
        let paper = if lanes <= MOST_PAPER_LANES { "print," } else { "" };
        let grid = format!(".lanes-{lanes}");
        let _ = writeln!(
            css,
            "@media {paper}(min-width:{width}rem){{\
             {grid}{{display:grid;grid-template-columns:var(--time) repeat({lanes},minmax(0,1fr));column-gap:var(--gap)}}\
             {grid} .moment,{grid} .cards{{display:contents}}\
             {grid} .time,{grid} .card{{border-top:1px solid var(--rule)}}\
             {grid} .r1{{border-top:0}}\
             {grid} .time{{grid-column:1}}\
             {grid} .c0{{grid-column:2/-1}}"
        );
        for lane in 1..=lanes {
            let _ = write!(css, "{grid} .c{lane}{{grid-column:{}}}", lane + 1);
        }
        css.push_str("}\n");
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_and_lane_that_a_day_may_name_has_a_rule() {
        let css = rules();
        assert!(css.contains(&format!(".r{MOST_ROWS}{{")) && css.contains(&format!(".s{MOST_ROWS}{{")));
        assert!(css.contains(&format!(".lanes-{MOST_LANES} .c{MOST_LANES}{{")));
        assert_eq!(css.matches('{').count(), css.matches('}').count());
    }
}
