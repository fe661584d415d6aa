//! The golden histories, as right inputs to begin with.

use std::path::Path;

/// The golden histories, as text.
pub(crate) fn golden() -> Vec<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories/corpus")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}
