//! The golden histories, with the verdicts that their headers state.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use checkers::{Budget, CHECKERS, Facts, Judgement, Verdict, checker};
use histories::text;

struct Golden {
    path: PathBuf,
    text: String,
    /// Guarantee and expected judgement.
    expected: Vec<(String, String)>,
}

fn corpus() -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../histories/corpus");
    let mut paths = Vec::new();
    for folder in std::fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            paths.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    paths.into_iter().map(golden).collect()
}

fn golden(path: PathBuf) -> Golden {
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("# expect:"));
    let line = line.unwrap_or_else(|| panic!("{}: no line `# expect: …`", path.display()));
    let expected = line
        .split_whitespace()
        .map(|word| word.split_once('=').unwrap_or_else(|| panic!("{}: {word}", path.display())))
        .map(|(guarantee, judgement)| (guarantee.to_string(), judgement.to_string()))
        .collect();
    assert!(text.contains("# source"), "{}: no line `# source: …`", path.display());
    Golden { path, text, expected }
}

fn judgement(verdict: &Verdict) -> &'static str {
    match verdict.judgement {
        Judgement::Held => "held",
        Judgement::Broken => "broken",
        Judgement::NotJudged { .. } => "not-judged",
    }
}

#[test]
fn checkers_are_sorted_by_their_guarantees() {
    let names: Vec<&str> = CHECKERS.iter().map(|checker| checker.guarantee()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for checker in CHECKERS {
        let promise = checker.promise();
        assert!(!promise.is_empty() && !promise.ends_with('.'), "{promise}");
    }
}

#[test]
fn every_golden_history_gets_the_verdicts_it_states() {
    let mut wrong = Vec::new();
    for Golden { path, text, expected } in corpus() {
        let history = text::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let facts = Facts::new(&history);
        for (guarantee, expected) in expected {
            let checker = checker(&guarantee).unwrap_or_else(|| panic!("no checker of {guarantee}"));
            let verdict = checker.check(&facts, Budget::default());
            if judgement(&verdict) != expected {
                wrong.push(format!("{}: {guarantee} is not {expected}: {verdict:#?}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_guarantee_has_been_seen_broken_and_held() {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for expected in corpus().into_iter().flat_map(|golden| golden.expected) {
        *seen.entry(expected).or_default() += 1;
    }
    for checker in CHECKERS {
        for judgement in ["broken", "held", "not-judged"] {
            let key = (checker.guarantee().to_string(), judgement.to_string());
            assert!(seen.contains_key(&key), "no golden history with {}={judgement}", checker.guarantee());
        }
    }
}

#[test]
fn every_judgement_is_put_in_words_and_every_finding_can_be_checked() {
    for Golden { path, text, .. } in corpus() {
        let history = text::parse(&text).unwrap();
        let facts = Facts::new(&history);
        for checker in CHECKERS {
            let verdict = checker.check(&facts, Budget::default());
            let at = format!("{}: {}", path.display(), checker.guarantee());
            assert_eq!(verdict.guarantee, checker.guarantee(), "{at}");
            assert!(!verdict.chances.what.is_empty(), "{at}");
            assert_eq!(verdict.is_broken(), verdict.count > 0, "{at}");
            for finding in &verdict.findings {
                let steps: Vec<_> = finding.steps.iter().map(|step| step.operation).collect();
                assert!(steps.is_sorted(), "{at}: the steps are in the order of time");
                assert!(!steps.is_empty() && finding.weight > 0 && !finding.keys.is_empty(), "{at}");
                for edge in &finding.edges {
                    assert!(steps.contains(&edge.from) && steps.contains(&edge.to), "{at}: {edge:?}");
                }
            }
        }
    }
}
