//! Any bytes as XML: the limits hold, nothing is expanded, and schedules are linted.

use super::ics;
use callboard::xml::{self, Element};

pub(super) fn run(bytes: &[u8]) {
    if let Ok(root) = xml::read(bytes, 64 * 1024) {
        assert!(bytes.len() <= 64 * 1024);
        let mut most = 0;
        measure(&root, 1, &mut most);
        assert!(most <= xml::MAX_DEPTH, "{most} deep");
        // A reference is longer than its character, so texts cannot be longer than the document.
        assert!(length(&root) <= bytes.len(), "expanded");
    }
    let mut schedule = bytes.to_vec();
    if !schedule.starts_with(b"<") {
        schedule.insert(0, b'<');
    }
    ics::lint(&schedule);
}

fn measure(element: &Element, depth: usize, most: &mut usize) {
    *most = depth.max(*most);
    assert!(!element.name.is_empty());
    element.children.iter().for_each(|child| measure(child, depth + 1, most));
}

fn length(element: &Element) -> usize {
    let own = element.text.len() + element.attributes.iter().map(|(_, value)| value.len()).sum::<usize>();
    own + element.children.iter().map(length).sum::<usize>()
}
