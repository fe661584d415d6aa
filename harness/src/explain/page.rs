//! A page of `docs/explain`, taken apart.
//!
//! ```text
//! # G1c, G1c-process             names; the first is that of the file
//! Each of two transactions …     what is common to all
//! ## G1c-process                 what is so for one of them
//! A session read what …
//! ```history                     its tiny history; the first line says what the checker says of it
//! # strong-session-serializable: G1c-process
//! ```
//! - Real life: …                 label and text, at the end
//! ```

/// A page, as far as it is about one of its names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<'p> {
    /// Paragraphs: what is common to all names, then what is so for this one.
    pub(super) paragraphs: Vec<String>,
    /// The guarantee that the history breaks, and the anomaly that is reported.
    pub(super) verdict: (&'p str, &'p str),
    /// The history in our text form.
    pub(super) history: &'p str,
    /// Label and text of each remark.
    pub(super) remarks: Vec<(&'p str, &'p str)>,
}

/// The names in a page's title.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().next().unwrap_or_default().trim_start_matches("# ").split(", ")
}

/// What the page says of `name`; nothing if a part is missing.
pub(super) fn read<'p>(text: &'p str, name: &str) -> Option<Page<'p>> {
    let body = text.split_once('\n')?.1;
    let section = match body.split_once(&format!("## {name}\n")) {
        Some((_, section)) => section,
        None => body,
    };
    let (own, rest) = section.split_once("```history\n")?;
    let block = rest.split_once("```")?.0;
    let (verdict, history) = block.split_once('\n')?;
    let common = body.split("\n## ").next()?.split("```").next()?;
    let own = if section.len() == body.len() { "" } else { own };
    let paragraphs = [common, own].into_iter().flat_map(|part| part.split("\n\n"));
    Some(Page {
        paragraphs: paragraphs.map(|text| text.trim().replace('\n', " ")).filter(|p| !p.is_empty()).collect(),
        verdict: verdict.strip_prefix("# ")?.split_once(": ")?,
        history,
        remarks: body.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": ")).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a, b\n\nBoth are\nbad.\n\n## a\n\n```history\n# g: a\nc0 read x -> 1\n```\n\n## b\n\nWorse.\n\n```history\n# g: b\nc0 read x -> 2\n```\n\n- Next: c, d\n";

    #[test]
    fn a_name_has_its_own_history_and_what_is_common() {
        assert_eq!(names(TEXT).collect::<Vec<_>>(), ["a", "b"]);
        let page = Page {
            paragraphs: vec!["Both are bad.".into(), "Worse.".into()],
            verdict: ("g", "b"),
            history: "c0 read x -> 2\n",
            remarks: vec![("Next", "c, d")],
        };
        assert_eq!(read(TEXT, "b"), Some(page));
        assert_eq!(read(TEXT, "a").map(|page| page.paragraphs), Some(vec!["Both are bad.".to_string()]));
        assert_eq!(read("# a\nno history\n", "a"), None);
    }
}
