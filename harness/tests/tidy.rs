//! Tidy: what a reviewer would otherwise say twice. Reads the source tree as text; each complaint
//! names a file and, where there is one, a line.
//!
//! ```text
//! checkers/src/graph/mod.rs:17: a checker may not use `std::fs`
//! docs/DEPENDENCIES.md: no line for `petgraph`
//! ```
//!
//! What is built in here (registries) is asked; all else is read. Source: TigerBeetle's `tidy.zig`.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[test]
fn crates_depend_only_along_the_arrows() {
    let arrows: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("checkers", &["histories", "witness"][..]),
        ("harness", &["checkers", "histories", "nemesis", "reference-db", "witness"]),
        ("histories", &[]),
        ("nemesis", &["histories"]),
        ("reference-db", &[]),
        ("checkers/witness", &["histories"]),
    ]);
    let ours: BTreeSet<&str> = arrows.keys().map(|folder| last_folder(folder)).collect();
    let mut complaints = Vec::new();
    for (name, allowed) in &arrows {
        for dependency in dependencies(name).keys() {
            if ours.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                complaints.push(format!("{name}/Cargo.toml: {name} may not depend on {dependency}"));
            }
        }
    }
    if manifest("checkers")["dependencies"].get("witness").is_some() {
        complaints.push("checkers/Cargo.toml: only tests of checkers may use witness".into());
    }
    assert_tidy(&complaints);
}

#[test]
fn dependencies_and_lints_come_from_the_workspace() {
    let mut complaints = Vec::new();
    for name in CRATES {
        for (dependency, value) in dependencies(name) {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                complaints.push(format!("{name}/Cargo.toml: write {dependency}.workspace = true"));
            }
        }
        let lints = manifest(name).get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        if lints != Some(true) {
            complaints.push(format!("{name}/Cargo.toml: the workspace's lints are not inherited"));
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn every_dependency_has_a_line_in_the_docs() {
    let workspace = manifest(".")["workspace"]["dependencies"].as_table().unwrap().clone();
    let declared: BTreeSet<&str> = workspace
        .iter()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let document = read("docs/DEPENDENCIES.md");
    let documented: BTreeSet<&str> = first_cells(&document.text).collect();
    let mut complaints = Vec::new();
    for name in declared.difference(&documented) {
        complaints.push(format!("docs/DEPENDENCIES.md: no line for `{name}`"));
    }
    for name in documented.difference(&declared) {
        complaints.push(format!("{}: `{name}` is no dependency", document.place_of(&format!("| `{name}`"))));
    }
    assert_tidy(&complaints);
}

/// Where the outside world may not enter, with the exceptions, and the words by which it would.
struct Quiet {
    folder: &'static str,
    but: &'static [&'static str],
    words: &'static [&'static str],
}

const CLOCKS: [&str; 4] = ["Instant", "SystemTime", "std::thread", "tokio"];
const SOCKETS: [&str; 4] = ["std::net", "reqwest", "axum", "std::process"];

static QUIET: &[Quiet] = &[
    Quiet {
        folder: "checkers/src/",
        but: &[],
        words: &[
            "std::fs",
            "std::env",
            "std::sync::atomic",
            "thread_local",
            "rand::",
            "rand_chacha",
            "getrandom",
        ],
    },
    Quiet { folder: "harness/src/sim/", but: &[], words: &["std::fs", "std::env", "rand::rng"] },
    Quiet { folder: "harness/src/workload/", but: &[], words: &["std::fs", "std::env", "rand::rng"] },
    Quiet { folder: "histories/src/", but: &["histories/src/threads.rs"], words: &["std::env", "rand::"] },
    Quiet {
        folder: "reference-db/src/",
        but: &["reference-db/src/server/", "reference-db/src/storage/"],
        words: &["std::fs", "std::env", "rand::", "getrandom"],
    },
];

#[test]
fn clocks_sockets_files_and_chance_stay_outside() {
    let tree = Tree::read();
    let mut complaints = Vec::new();
    for quiet in QUIET {
        let inside = |path: &str| path.starts_with(quiet.folder) && !starts_with_any(path, quiet.but);
        for file in tree.rust().filter(|file| inside(&file.path)) {
            for (number, line) in tree.lines_outside_tests(file) {
                let words = quiet.words.iter().chain(&CLOCKS).chain(&SOCKETS);
                complaints.extend(words.filter(|word| says(code(line), word)).map(|word| {
                    format!("{}:{number}: `{word}` may not be used in {}", file.path, quiet.folder)
                }));
            }
        }
    }
    assert_tidy(&complaints);
}

/// Where wall time enters: the live runner, clients, proxy, processes, server, recorder, store.
const WALL_TIME: [&str; 17] = [
    "checkers/benches/",
    "harness/benches/",
    "harness/src/client/",
    "harness/src/recorder.rs",
    "harness/src/run/live.rs",
    "harness/src/run/load.rs",
    "harness/src/run/settle.rs",
    "harness/src/stopwatch.rs",
    "harness/src/store.rs",
    "harness/src/target/processes.rs",
    "histories/benches/",
    "histories/tests/fuzz/rounds.rs",
    "nemesis/src/clock.rs",
    "nemesis/src/process/",
    "nemesis/src/proxy/",
    "nemesis/tests/live/",
    "reference-db/src/server/",
];

#[test]
fn wall_time_enters_where_the_design_lets_it() {
    let clippy = read(".clippy.toml").text;
    let banned = ["Instant::now", "SystemTime::now", "thread::sleep", "time::sleep", "HashMap", "HashSet"];
    let mut complaints: Vec<String> = banned
        .iter()
        .filter(|path| !clippy.contains(&format!("::{path}\"")))
        .map(|path| format!(".clippy.toml: `{path}` is not disallowed"))
        .collect();
    let tree = Tree::read();
    for file in tree.rust().filter(|file| !starts_with_any(&file.path, &WALL_TIME)) {
        for (number, _) in file.lines().filter(|(_, line)| line.contains(concat!("clippy::", "disallowed_")))
        {
            complaints.push(format!("{}:{number}: wall time is not for this file", file.path));
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn silenced_lints_say_why() {
    let (allow, expect) = (concat!("[", "allow("), concat!("[", "expect("));
    let tree = Tree::read();
    let mut complaints = Vec::new();
    for file in tree.rust() {
        for (number, line) in file.lines() {
            if line.contains(&format!("#{allow}")) || line.contains(&format!("#!{allow}")) {
                complaints.push(format!("{}:{number}: expect it, and give the reason", file.path));
            }
        }
        for (start, _) in
            file.text.match_indices(expect).filter(|(start, _)| file.text[..*start].ends_with(['#', '!']))
        {
            let attribute = file.text[start..].split(")]").next().unwrap_or_default();
            if !attribute.contains("reason = \"") {
                complaints.push(format!(
                    "{}:{}: this expectation has no reason",
                    file.path,
                    file.line_of(start)
                ));
            }
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn nothing_is_left_undone_or_left_out() {
    let marks = [
        concat!("#[", "ignore"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("FIX", "ME"),
    ];
    assert_tidy(&Tree::read().lines_that_say(|path| path.ends_with(".rs"), &marks));
}

#[test]
fn nothing_names_a_machine() {
    let folders = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    assert_tidy(&Tree::read().lines_that_say(|_| true, &folders));
}

#[test]
fn files_are_short_enough_to_read() {
    const MOST: usize = 700;
    let tree = Tree::read();
    let long = tree.rust().map(|file| (file, file.lines().count())).filter(|(_, lines)| *lines > MOST);
    let complaints: Vec<String> =
        long.map(|(file, lines)| format!("{}:{MOST}: {lines} lines; one idea a file", file.path)).collect();
    assert_tidy(&complaints);
}

#[test]
fn the_top_level_is_as_designed() {
    let known = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "checkers",
        "docs",
        "harness",
        "histories",
        "nemesis",
        "reference-db",
    ];
    let complaints: Vec<String> = entries(&root())
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| !known.contains(&name.as_str()) && !name.starts_with('.') && name != "target")
        .map(|name| format!("{name}: does not belong at the top level"))
        .collect();
    assert_tidy(&complaints);
}

#[test]
fn registries_are_sorted() {
    let mut complaints = Vec::new();
    let mut sorted = |registry: &str, names: Vec<&str>| {
        for pair in names.windows(2).filter(|pair| pair[0] >= pair[1]) {
            complaints.push(format!("{registry}: `{}` stands before `{}`", pair[0], pair[1]));
        }
    };
    let guarantees = checkers::CHECKERS.iter().map(|checker| checker.guarantee()).collect();
    sorted("checkers/src/lib.rs", guarantees);
    sorted("nemesis/src/fault/mod.rs", nemesis::fault::FAULTS.iter().map(|fault| fault.name()).collect());
    let tree = Tree::read();
    // What is private is sorted by the names of its files.
    let by_name = ["checkers/src/lib.rs", "nemesis/src/fault/mod.rs"];
    for file in tree.rust().filter(|file| !by_name.iter().any(|path| file.path.ends_with(path))) {
        for (start, _) in file.text.match_indices(": &[&dyn ") {
            let list = file.text[start..].split(';').next().unwrap_or_default();
            let place = format!("{}:{}", file.path, file.line_of(start));
            sorted(&place, list.split('&').filter(|entry| entry.contains("::")).map(last_module).collect());
        }
    }
    assert_tidy(&complaints);
}

/// `register` of `register::Register,`.
fn last_module(entry: &str) -> &str {
    let path: Vec<&str> = entry.trim_end_matches([',', ' ', '\n', ']']).split("::").collect();
    path[path.len().saturating_sub(2)]
}

#[test]
fn every_guarantee_has_golden_histories_and_every_folder_of_them_a_guarantee() {
    let folders: BTreeSet<String> = entries(&root().join("histories/corpus"))
        .iter()
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let guarantees: BTreeSet<String> = guarantees();
    let mut complaints = Vec::new();
    for guarantee in guarantees.difference(&folders) {
        complaints.push(format!("histories/corpus/{guarantee}: the guarantee has no golden history"));
    }
    for folder in folders.difference(&guarantees) {
        complaints.push(format!("histories/corpus/{folder}: no checker judges this guarantee"));
    }
    assert_tidy(&complaints);
}

#[test]
fn the_readme_and_ci_use_the_same_commands() {
    let (run, test) = ("cargo run --release -- demo", "cargo test --workspace");
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let mut complaints = Vec::new();
    for command in [run, test] {
        if !readme.text.lines().any(|line| line == command) {
            complaints.push(format!("README.md: no line `{command}`"));
        }
    }
    if !ci.text.lines().any(|line| !line.starts_with('#') && line.ends_with(test)) {
        complaints.push(format!(".ci/run: no line that ends with `{test}`"));
    }
    if !ci.text.contains("set -euo pipefail") {
        complaints.push(".ci/run: does not stop at the first failure".into());
    }
    assert_tidy(&complaints);
}

#[test]
fn the_readme_has_a_row_for_every_guarantee() {
    let readme = read("README.md");
    let table = readme.text.split("\n## Guarantees").nth(1).unwrap_or_default();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows: BTreeSet<String> = first_cells(table).map(str::to_string).collect();
    let mut complaints = Vec::new();
    for guarantee in guarantees().difference(&rows) {
        complaints.push(format!("README.md: no row for `{guarantee}` under Guarantees"));
    }
    for row in rows.difference(&guarantees()) {
        complaints.push(format!("{}: no checker judges `{row}`", readme.place_of(&format!("| `{row}`"))));
    }
    assert_tidy(&complaints);
}

#[test]
fn every_setting_workload_and_fault_is_explained() {
    let plans = read("docs/PLANS.md").text;
    let settings = read("harness/src/plan/setting.rs");
    let mut names: Vec<(String, String)> = quoted_after(&settings, "path: ");
    let tree = Tree::read();
    for file in tree.rust().filter(|file| file.path.starts_with("harness/src/workload/")) {
        names.extend(quoted_after(file, "fn name(&self) -> &'static str {\n        "));
    }
    for fault in nemesis::fault::FAULTS {
        names.push(("nemesis/src/fault/mod.rs".into(), fault.name().into()));
        for syntax in fault.syntax() {
            names.push((format!("nemesis/src/fault: {}", fault.name()), syntax.text.into()));
        }
    }
    let missing = names.iter().filter(|(_, name)| !plans.contains(&format!("`{name}`")));
    let complaints: Vec<String> =
        missing.map(|(place, name)| format!("{place}: `{name}` is not in docs/PLANS.md")).collect();
    assert_tidy(&complaints);
}

/// Each text in quotes that follows `mark`, with its place.
fn quoted_after(file: &SourceFile, mark: &str) -> Vec<(String, String)> {
    let mark = format!("{mark}\"");
    let found = file.text.match_indices(&mark).map(|(start, _)| {
        let text = file.text[start + mark.len()..].split('"').next().unwrap_or_default();
        (format!("{}:{}", file.path, file.line_of(start)), text.to_string())
    });
    found.collect()
}

#[test]
fn files_and_tests_that_documents_name_exist() {
    let tree = Tree::read();
    let mut complaints = Vec::new();
    for document in tree.documents() {
        for (number, line) in document.lines() {
            for name in line.split('`').skip(1).step_by(2) {
                let (path, test) = name.split_once("::").unwrap_or((name, ""));
                if !CRATES.iter().any(|crate_name| path.starts_with(&format!("{crate_name}/"))) {
                    continue;
                }
                let place = format!("{}:{number}", document.path);
                if !root().join(path).exists() {
                    complaints.push(format!("{place}: there is no `{path}`"));
                } else if !test.is_empty() && !read(path).text.contains(&format!("fn {test}(")) {
                    complaints.push(format!("{place}: `{path}` has no `{test}`"));
                }
            }
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn examples_in_documents_can_be_read() {
    let tree = Tree::read();
    let mut complaints = Vec::new();
    for document in tree.documents() {
        for block in document.blocks() {
            let problem = match block.language {
                "toml" => plan_problem(block.text),
                "jsonl" => {
                    histories::format::read(block.text.as_bytes()).err().map(|error| error.to_string())
                }
                "history" => histories::text::parse(block.text).err().map(|error| error.to_string()),
                _ => None,
            };
            complaints.extend(problem.map(|problem| format!("{}:{}: {problem}", document.path, block.line)));
        }
    }
    assert_tidy(&complaints);
}

/// What the command itself says against a plan, and what a fault says against its table.
fn plan_problem(text: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, text).unwrap();
    let mut rashomon = std::process::Command::new(env!("CARGO_BIN_EXE_rashomon"));
    let output = rashomon.arg("run").arg(&plan).arg("--show-plan").current_dir(&folder).output().unwrap();
    if !output.status.success() {
        return Some(String::from_utf8_lossy(&output.stderr).trim().to_string());
    }
    let faults = text.parse::<toml::Table>().unwrap().remove("fault");
    let faults = Vec::<nemesis::FaultSpec>::deserialize(faults.unwrap_or(toml::Value::Array(Vec::new())));
    faults.err().map(|error| error.to_string())
}

/// The folders of all crates.
const CRATES: [&str; 6] = ["checkers", "checkers/witness", "harness", "histories", "nemesis", "reference-db"];

fn last_folder(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn guarantees() -> BTreeSet<String> {
    checkers::CHECKERS.iter().map(|checker| checker.guarantee().to_string()).collect()
}

fn manifest(crate_name: &str) -> toml::Table {
    read(&format!("{crate_name}/Cargo.toml")).text.parse().unwrap()
}

/// Everything that a crate depends on, for whatever purpose.
fn dependencies(crate_name: &str) -> toml::Table {
    let manifest = manifest(crate_name);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    kinds.iter().filter_map(|kind| manifest.get(*kind)?.as_table().cloned()).flatten().collect()
}

/// The names between backticks that begin the rows of tables.
fn first_cells(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

fn starts_with_any(path: &str, starts: &[&str]) -> bool {
    starts.iter().any(|start| path.starts_with(start))
}

/// The line without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// True if `word` stands in `line` and is not a part of another word.
fn says(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(start, _)| {
        let after = &line[start + word.len()..];
        !line[..start].ends_with(part) && (word.ends_with(':') || !after.starts_with(part))
    })
}

struct SourceFile {
    /// From the top of the tree, with slashes.
    path: String,
    text: String,
}

struct Block<'a> {
    language: &'a str,
    /// Of its first line, from 1.
    line: usize,
    text: &'a str,
}

fn read(path: &str) -> SourceFile {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    SourceFile { path: path.to_string(), text }
}

impl SourceFile {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn line_of(&self, byte: usize) -> usize {
        self.text[..byte].matches('\n').count() + 1
    }

    fn place_of(&self, text: &str) -> String {
        format!("{}:{}", self.path, self.text.find(text).map_or(1, |byte| self.line_of(byte)))
    }

    /// What stands between fences.
    fn blocks(&self) -> Vec<Block<'_>> {
        let parts: Vec<(usize, &str)> = self.text.match_indices("```").collect();
        let between = parts.chunks_exact(2).map(|pair| {
            let inside = &self.text[pair[0].0 + 3..pair[1].0];
            let (language, text) = inside.split_once('\n').unwrap_or((inside, ""));
            Block { language, line: self.line_of(pair[0].0) + 1, text }
        });
        between.collect()
    }
}

/// Every text file of the project.
struct Tree {
    files: Vec<SourceFile>,
    /// Files that only tests see: those of `#[cfg(test)] mod name;`.
    tests: BTreeSet<String>,
}

impl Tree {
    fn read() -> Self {
        let mut files = Vec::new();
        for path in entries(&root()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // `target` is a module further down.
            if ![".git", ".rashomon", "target"].contains(&name.as_str()) {
                collect(&path, &mut files);
            }
        }
        let tests = files.iter().flat_map(test_modules).collect();
        Self { files, tests }
    }

    fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    fn documents(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|file| file.path.ends_with(".md"))
    }

    /// The lines that are compiled into the product. A file ends with its tests.
    fn lines_outside_tests<'a>(&self, file: &'a SourceFile) -> impl Iterator<Item = (usize, &'a str)> {
        let inline = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod ", "#[cfg(test)]\npub(super) mod "];
        let end = inline
            .iter()
            .filter_map(|start| file.text.find(start))
            .filter(|start| file.text[*start..].lines().nth(1).is_some_and(|line| line.ends_with('{')));
        let end = if self.tests.contains(&file.path) { 0 } else { end.min().unwrap_or(file.text.len()) };
        let last = file.line_of(end);
        file.lines().take_while(move |(number, _)| end > 0 && *number <= last)
    }

    fn lines_that_say(&self, which: impl Fn(&str) -> bool, words: &[&str]) -> Vec<String> {
        let mut complaints = Vec::new();
        for file in self.files.iter().filter(|file| which(&file.path)) {
            for (number, line) in file.lines() {
                let said = words.iter().filter(|word| line.contains(**word));
                complaints.extend(said.map(|word| format!("{}:{number}: `{word}`", file.path)));
            }
        }
        complaints
    }
}

/// The files of the modules that `file` declares for tests only.
fn test_modules(file: &SourceFile) -> Vec<String> {
    let stem = file.path.trim_end_matches(".rs");
    let folder = ["/mod", "/lib", "/main"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    let lines: Vec<&str> = file.text.lines().collect();
    let declared = lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';'));
    declared.flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]).collect()
}

fn collect(path: &Path, files: &mut Vec<SourceFile>) {
    if path.is_dir() {
        entries(path).iter().for_each(|entry| collect(entry, files));
        return;
    }
    // What is not text has nothing to say.
    if let Ok(text) = std::fs::read_to_string(path) {
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path, text });
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
