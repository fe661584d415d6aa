//! How text looks: colours and glyphs, each only where it can be seen. A state is always a glyph and
//! a word as well as a colour.

use std::borrow::Cow;
use std::io::IsTerminal;

use checkers::Judgement;
use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR or CLICOLOR_FORCE say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorWhen {
    pub(crate) fn enabled(self, terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") => true,
            Self::Auto => terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

/// A colour, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Lost, broken.
    Bad,
    /// Held.
    Good,
    /// Unknown, a fault.
    Unsure,
    /// Names.
    Strong,
    /// What stands back.
    Faint,
}

/// How to draw for one reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) color: bool,
    pub(crate) unicode: bool,
    /// Columns.
    pub(crate) width: usize,
}

impl Style {
    /// The style of standard output.
    pub(crate) fn stdout(when: ColorWhen) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self { color: when.enabled(terminal), unicode: unicode(), width: columns(terminal) }
    }

    /// Plain text of 100 columns, for files.
    pub(crate) fn plain() -> Self {
        Self { color: false, unicode: true, width: 100 }
    }

    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_string();
        }
        let code = match paint {
            Paint::Bad => "31",
            Paint::Good => "32",
            Paint::Unsure => "33",
            Paint::Strong => "1",
            Paint::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// `text`, in ASCII where the locale has nothing else, and never with what would steer the
    /// terminal: keys and names are whatever a store was given.
    pub(crate) fn draw(self, text: &str) -> String {
        let text = harmless(text);
        if self.unicode {
            return text.into_owned();
        }
        let ascii = |character: char| match character {
            '✓' => "ok".to_string(),
            '✗' => "FAIL".to_string(),
            '?' => "??".to_string(),
            '→' => "->".to_string(),
            '▶' => ">".to_string(),
            '◀' => "<".to_string(),
            '─' | '–' => "-".to_string(),
            '×' => "x".to_string(),
            '·' => "-".to_string(),
            '…' => "...".to_string(),
            '⇥' => "-/>".to_string(),
            other => other.to_string(),
        };
        text.chars().map(ascii).collect()
    }

    pub(crate) fn judgement(self, judgement: &Judgement) -> (Paint, &'static str, &'static str) {
        match judgement {
            Judgement::Held => (Paint::Good, if self.unicode { "✓" } else { "ok" }, "held"),
            Judgement::Broken => (Paint::Bad, if self.unicode { "✗" } else { "FAIL" }, "broken"),
            Judgement::NotJudged { .. } => {
                (Paint::Unsure, if self.unicode { "?" } else { "??" }, "not judged")
            }
        }
    }
}

/// Control characters, and those that turn the direction of text, as escapes.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let escape = |character: char| match steers(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// True if the locale can show more than ASCII; without one, most terminals can.
fn unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn columns(terminal: bool) -> usize {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal.then(|| usize::from(console::Term::stdout().size().1));
    stated.or_else(measured).unwrap_or(100).clamp(40, 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        let style = Style::plain();
        assert_eq!(style.draw("k\u{1b}[2J\n\u{202e}x ü"), r"k\u{1b}[2J\n\u{202e}x ü");
        assert_eq!(Style { unicode: false, ..style }.draw("A → B ×2"), "A -> B x2");
    }
}
