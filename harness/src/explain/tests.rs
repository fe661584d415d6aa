use std::path::Path;

use clap::Parser;

use super::*;
use crate::report::style::Style;

fn every_name() -> Vec<&'static str> {
    anomalies().map(|(name, _)| name).chain(guarantees().into_iter().map(|(name, _)| name)).collect()
}

#[test]
fn every_page_is_built_in_and_sorted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/explain");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder of pages")
        .map(|entry| {
            entry.expect("a page").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .filter(|name| name != "README")
        .collect();
    files.sort();
    let built_in: Vec<&str> = PAGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(built_in, files);
    let index = include_str!("../../../docs/explain/README.md");
    for name in built_in {
        assert!(index.contains(&format!("]({name}.md)")), "docs/explain/README.md: {name} is not in it");
    }
}

#[test]
fn every_name_and_alias_is_explained_in_whatever_case() {
    for name in known() {
        let explained = explain(&name.to_uppercase()).unwrap_or_else(|| panic!("{name} has no page"));
        assert!(!explained.paragraphs.is_empty() && !explained.remarks.is_empty(), "{name}");
        assert!(explained.next.iter().all(|next| explain(next).is_some()), "{name}: {:?}", explained.next);
    }
    let meant = |name: &str| explain(name).map(|explained| explained.name);
    assert_eq!(meant("P4"), Some("lost-update"));
    assert_eq!(meant("write skew"), Some("write-skew"));
    assert_eq!(meant("pl-3"), Some("serializable"));
    assert_eq!(meant("lost-updat"), None);
}

#[test]
fn a_variant_shows_its_own_history() {
    let [base, variant] = ["G1c", "G1c-realtime"].map(|name| explain(name).expect("a page"));
    assert_ne!(base.history, variant.history);
    assert_eq!((variant.broken, variant.reported), ("strict-serializable", "G1c-realtime"));
}

#[test]
fn no_mark_of_markdown_is_left_and_lines_fit() {
    for width in [60, 80] {
        let style = Style { width, ..Style::plain() };
        let pages = every_name().into_iter().map(|name| render::page(&explain(name).expect("a page"), style));
        for text in pages.chain([render::list(style)]) {
            assert!(!text.contains(['`', '#', '*']), "{text}");
            let wide = text.lines().find(|line| {
                let is_word = line.split_whitespace().count() < 2;
                console::measure_text_width(line) > width && !is_word
            });
            // A line of a history is not wrapped.
            assert!(wide.is_none_or(|line| line.contains("->") || line.contains(" is broken: ")), "{wide:?}");
        }
    }
}

#[test]
fn commands_that_pages_name_are_commands() {
    for name in every_name() {
        let explained = explain(name).expect("a page");
        let Some((_, command)) = explained.remarks.iter().find(|(label, _)| *label == "See it") else {
            continue;
        };
        let parsed = crate::cli::Cli::try_parse_from(command.split_whitespace());
        assert!(parsed.is_ok(), "{name}: {command}");
        if let Some(classic) = command.split_once("classic:") {
            assert!(
                crate::plan::classics::names().split(", ").any(|known| known == classic.1),
                "{name}: {command}"
            );
        }
    }
}
