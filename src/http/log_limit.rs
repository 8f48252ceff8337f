//! A limit on log lines: of each class some are logged a second, and then how many more there were.

use std::sync::atomic::{AtomicU64, Ordering};

/// Lines of one class that are logged in a second.
const EACH_SECOND: u64 = 10;

/// Counts lines by class, without a lock: the second in the upper half of a number, the lines in its lower half.
#[derive(Debug)]
pub(super) struct LogLimit<const CLASSES: usize>([AtomicU64; CLASSES]);

impl<const CLASSES: usize> LogLimit<CLASSES> {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; CLASSES])
    }

    /// Whether a line of a class is logged at this second. `tell` is called with the number of lines that an earlier second left
    /// out, once. A class that there is no room for is not limited.
    pub(super) fn admits(&self, class: usize, second: u64, tell: impl FnOnce(u64)) -> bool {
        let Some(counter) = self.0.get(class) else { return true };
        let second = second & u64::from(u32::MAX);
        let split = |packed: u64| (packed >> 32, packed & u64::from(u32::MAX));
        let next = |packed: u64| match split(packed) {
            (of, lines) if of == second => Some(second << 32 | (lines + 1).min(u32::MAX.into())),
            _ => Some(second << 32 | 1),
        };
        let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let (of, lines) = split(before.unwrap_or_else(|unchanged| unchanged));
        if of == second {
            return lines < EACH_SECOND;
        }
        let left_out = lines.saturating_sub(EACH_SECOND);
        if left_out > 0 {
            tell(left_out);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn each_class_has_its_lines_and_the_next_second_tells_what_was_left_out() {
        let limit: LogLimit<2> = LogLimit::new();
        let told = Cell::new(0);
        let logged = |class: usize, second: u64, lines: usize| {
            (0..lines).filter(|_| limit.admits(class, second, |more| told.set(told.get() + more))).count()
        };
        assert_eq!((logged(0, 0, 20_000), logged(1, 0, 3)), (10, 3));
        assert_eq!(told.get(), 0);
        assert_eq!(logged(0, 1, 5), 5);
        assert_eq!(told.get(), 19_990);
        assert_eq!(logged(0, 2, 100), 10);
        assert_eq!(told.get(), 19_990, "five lines left nothing out");
        assert_eq!(logged(0, 9, 1), 1);
        assert_eq!(told.get(), 20_080);
        assert_eq!(logged(7, 9, 100), 100, "no such class");
    }
}
