//! Replays the corpora of the fuzz targets, so that every bug that fuzzing found stays fixed.

use crate::targets::ALL;
use std::path::Path;

#[test]
fn every_input_of_the_corpora_passes() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut bytes = 0;
    for (name, run) in ALL {
        let mut inputs: Vec<_> = std::fs::read_dir(corpora.join(name))
            .unwrap_or_else(|error| panic!("the corpus of {name}: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for path in inputs {
            let input = std::fs::read(&path).unwrap();
            bytes += input.len();
            // Printed first, since a failing target panics without naming its input.
            println!("{}", path.display());
            run(&input);
        }
    }
    assert!(bytes < 300_000, "the corpora have {bytes} bytes: minimise them with tests/fuzz/run --minimise");
}
