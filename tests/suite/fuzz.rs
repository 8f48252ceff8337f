//! The corpora of the fuzz targets, replayed: what was found once stays found.

use crate::targets::ALL;
use std::path::Path;

#[test]
fn every_input_that_fuzzing_kept_still_passes() {
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
            // Named before it is run: a failure is a panic of the target's own.
            println!("{}", path.display());
            run(&input);
        }
    }
    assert!(bytes < 300_000, "the corpora have {bytes} bytes: minimise them with tests/fuzz/run --minimise");
}
