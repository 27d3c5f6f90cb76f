//! Replays the inputs that fuzzing keeps in `fuzz/corpus`, without a fuzzer. `scripts/fuzz.sh` looks for new ones.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

/// Gives every file of a target's corpus to its check, which panics at a finding.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is in the repository") {
        let path = entry.expect("a readable folder").path();
        // Shown when the check panics.
        println!("{}", path.display());
        check(&fs::read(&path).expect("a readable file"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

#[test]
fn frames() {
    replay("frames", targets::frames::check);
}

#[test]
fn inflate() {
    replay("inflate", targets::inflate::check);
}

#[test]
fn response_head() {
    replay("response_head", targets::response_head::check);
}

#[test]
fn close_payload() {
    replay("close_payload", targets::close_payload::check);
}

#[test]
fn tls() {
    replay("tls", targets::tls::check);
}
