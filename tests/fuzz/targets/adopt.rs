//! Any bytes as a foreign program: the CSV imports without an error in its zone.

use super::grown;
use callboard::adopt::adopt;
use callboard::import::import;
use std::sync::Arc;

pub(super) fn run(bytes: &[u8]) {
    let Ok(adopted) = adopt(bytes, None) else { return };
    let mut conference = grown::conference();
    conference.zone = adopted.zone;
    let report = import(&adopted.csv, &Arc::new(conference));
    let errors: Vec<_> = report.errors().collect();
    assert!(errors.is_empty(), "{errors:?} in\n{}", String::from_utf8_lossy(&adopted.csv));
    assert_eq!(report.program.unwrap().order().len(), adopted.sessions);
    let page = adopted.render();
    assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page:?}");
}
