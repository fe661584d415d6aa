//! Histories as a person writes them: one line an operation, for golden files and tests.
//!
//! ```text
//! # Two clients change x from the same version; one change is gone.
//! nodes A B
//! c0@A  0..5    write x [1]            -> ok A:1
//! c1@A  6..9    cas x [1]@A:1 [1 2]    -> ok A:2
//! c2@B  7..8    cas x [1]@A:1 [1 3]    -> ok B:1
//! c3@A  10..11  append l 4             -> unknown timeout
//! c4@A  12..    txn read x; write y 2
//! -- final-reads
//! c5@A          read x                 -> [1 3]@B:1
//! c6@B          read x                 -> [1 3]@B:1 | [1 4]@A:7
//! c7@B          read z                 -> nothing
//! ```
//!
//! Times are whole milliseconds, `from..to`; a call without `to` is never answered; a call without
//! both is asked and answered after everything above it. At one same instant calls are asked before
//! others are answered: intervals are closed. `key value@version` is a value with the store's name
//! for it; several siblings stand between bars. `--` begins a phase, after everything above it or at
//! the millisecond that follows its name. Keys, versions and reasons are single words, and texts have
//! neither quotes nor `#`, `;`, `->` in them: other histories are kept in JSON Lines.

use std::fmt::Write as _;

use crate::{
    Call, Event, EventKind, Header, History, Key, MicroOp, Nanos, NodeName, Observed, Operation, Outcome,
    Phase, Reason, Reply, SessionId, Value, Version,
};

/// Why a text is no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct TextError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong, and what was expected.
    pub reason: String,
}

/// Reads a history.
pub fn parse(text: &str) -> Result<History, TextError> {
    let mut script = Script::default();
    for (index, line) in text.lines().enumerate() {
        script.number = index + 1;
        script.line(line).map_err(|reason| TextError { line: index + 1, reason })?;
    }
    script.finish()
}

/// Writes a history so that [`parse`] reads it again: operations and phases, not faults.
pub fn print(history: &History) -> String {
    let mut out = String::new();
    if !history.header().nodes.is_empty() {
        let nodes: Vec<&str> = history.header().nodes.iter().map(NodeName::as_str).collect();
        let _ = writeln!(out, "nodes {}", nodes.join(" "));
    }
    let mut phases = history.phases().iter().peekable();
    for operation in history.operations() {
        while let Some((time, phase)) = phases.next_if(|(time, _)| *time <= operation.invoked) {
            print_phase(&mut out, *time, *phase);
        }
        let _ = writeln!(out, "{}", print_operation(operation));
    }
    phases.for_each(|(time, phase)| print_phase(&mut out, *time, *phase));
    out
}

fn print_phase(out: &mut String, time: Nanos, phase: Phase) {
    let _ = writeln!(out, "-- {} {}", phase_name(phase), time.0 / 1_000_000);
}

/// One line for one operation.
pub fn print_operation(operation: &Operation) -> String {
    let node = operation.node.as_ref().map(|node| format!("@{node}")).unwrap_or_default();
    let millis = |time: Nanos| time.0 / 1_000_000;
    let to = operation.completed.map(|to| millis(to).to_string()).unwrap_or_default();
    let mut line = format!("{}{node} {}..{to} ", operation.session, millis(operation.invoked));
    match &operation.call {
        Call::Single(micro_op) => line.push_str(&print_micro_op(micro_op)),
        Call::Transaction(micro_ops) => {
            let parts: Vec<String> = micro_ops.iter().map(print_micro_op).collect();
            let _ = write!(line, "txn {}", parts.join("; "));
        }
    }
    match &operation.outcome {
        _ if operation.completed.is_none() => {}
        Outcome::Confirmed(replies) => {
            let parts: Vec<String> = replies.iter().map(print_reply).collect();
            let _ = write!(line, " -> {}", parts.join("; "));
        }
        Outcome::Failed(reason) => {
            let _ = write!(line, " -> failed {reason}");
        }
        Outcome::Unknown(reason) => {
            let _ = write!(line, " -> unknown {reason}");
        }
    }
    line
}

/// One part of a call, such as `write x 1`.
pub fn print_micro_op(micro_op: &MicroOp) -> String {
    match micro_op {
        MicroOp::Read { key } => format!("read {key}"),
        MicroOp::Write { key, value } => format!("write {key} {value}"),
        MicroOp::CompareAndSet { key, expected, value } => {
            format!("cas {key} {} {value}", print_observed(expected))
        }
        MicroOp::Append { key, element } => format!("append {key} {element}"),
        MicroOp::Add { key, element } => format!("add {key} {element}"),
        MicroOp::Remove { key, element } => format!("remove {key} {element}"),
        MicroOp::Increment { key, by } => format!("increment {key} {by}"),
        MicroOp::Delete { key } => format!("delete {key}"),
        MicroOp::Enqueue { key, element } => format!("enqueue {key} {element}"),
        MicroOp::Dequeue { key } => format!("dequeue {key}"),
        MicroOp::Push { key, element } => format!("push {key} {element}"),
        MicroOp::Pop { key } => format!("pop {key}"),
    }
}

fn print_reply(reply: &Reply) -> String {
    match (&reply.observed, &reply.version) {
        (Some(observed), _) => print_observed(observed),
        (None, Some(version)) => format!("ok {version}"),
        (None, None) => "ok".into(),
    }
}

fn print_observed(observed: &Observed) -> String {
    let version =
        |index| observed.versions.get(index).map(|version| format!("@{version}")).unwrap_or_default();
    if observed.is_absent() {
        return format!("nothing{}", version(0));
    }
    let parts: Vec<String> = observed
        .values
        .iter()
        .enumerate()
        .map(|(index, value)| format!("{value}{}", version(index)))
        .collect();
    parts.join(" | ")
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Load => "load",
        Phase::Settle => "settle",
        Phase::Settled => "settled",
        Phase::FinalReads => "final-reads",
        Phase::Done => "done",
    }
}

/// Events so far, each with what orders it: time, then questions before answers, then the line.
#[derive(Default)]
struct Script {
    header: Header,
    events: Vec<((Nanos, u8, usize), EventKind)>,
    end: Nanos,
    number: usize,
}

const ASKED: u8 = 0;
const ANSWERED: u8 = 1;
const PHASE: u8 = 2;

impl Script {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
        if line.is_empty() {
            return Ok(());
        }
        if let Some(nodes) = line.strip_prefix("nodes ") {
            self.header.nodes = nodes.split_whitespace().map(NodeName::from).collect();
            return Ok(());
        }
        if let Some(phase) = line.strip_prefix("--") {
            let mut words = Words::new(phase);
            let phase = parse_phase(&words.word("a phase such as final-reads")?)?;
            let time = words.next_word().map_or(Ok(self.end), |time| parse_time(&time))?;
            self.push(time, PHASE, EventKind::Phase(phase));
            return Ok(());
        }
        self.operation(line)
    }

    fn operation(&mut self, line: &str) -> Result<(), String> {
        let (question, answer) = match line.split_once("->") {
            Some((question, answer)) => (question.trim(), Some(answer.trim())),
            None => (line, None),
        };
        let mut words = Words::new(question);
        let (session, node) = parse_session(&words.word("a session such as c0 or c0@A")?)?;
        let (from, to) = self.interval(&mut words, answer.is_some())?;
        let call = parse_call(&mut words)?;
        if answer.is_some() && to.is_none() {
            return Err("an answer needs an end: write the interval as from..to".into());
        }
        let outcome = answer.map(|answer| parse_outcome(answer, &call)).transpose()?;
        self.push(from, ASKED, EventKind::Invoke { session, node, planned: None, call });
        if let (Some(outcome), Some(to)) = (outcome, to) {
            self.push(to, ANSWERED, EventKind::Complete { session, outcome });
        }
        Ok(())
    }

    fn interval(&self, words: &mut Words<'_>, answered: bool) -> Result<(Nanos, Option<Nanos>), String> {
        let next = Nanos::from_millis(self.end.0 / 1_000_000 + 1);
        let Some((from, to)) = words.peek().and_then(|word| word.split_once("..")) else {
            return Ok((next, answered.then_some(next + Nanos::from_millis(1))));
        };
        let interval = (parse_time(from)?, if to.is_empty() { None } else { Some(parse_time(to)?) });
        if interval.1.is_some_and(|to| to < interval.0) {
            return Err(format!("the interval {from}..{to} ends before it begins"));
        }
        words.word("an interval")?;
        Ok(interval)
    }

    fn push(&mut self, time: Nanos, rank: u8, kind: EventKind) {
        self.end = self.end.max(time);
        self.events.push(((time, rank, self.number), kind));
    }

    fn finish(mut self) -> Result<History, TextError> {
        self.events.sort_by_key(|(order, _)| *order);
        let lines: Vec<usize> = self.events.iter().map(|((.., line), _)| *line).collect();
        let events = self.events.into_iter().map(|((time, ..), kind)| Event { time, kind });
        History::new(self.header, events).map_err(|malformed| TextError {
            line: lines[malformed.index],
            reason: malformed.problem.to_string(),
        })
    }
}

fn parse_time(millis: &str) -> Result<Nanos, String> {
    let nanos = millis.parse::<u64>().ok().and_then(|millis| millis.checked_mul(1_000_000));
    nanos.map(Nanos).ok_or_else(|| format!("{millis:?} is no time in whole milliseconds"))
}

fn parse_phase(name: &str) -> Result<Phase, String> {
    [Phase::Load, Phase::Settle, Phase::Settled, Phase::FinalReads, Phase::Done]
        .into_iter()
        .find(|phase| phase_name(*phase) == name)
        .ok_or_else(|| format!("no phase {name:?}; there are load, settle, settled, final-reads, done"))
}

fn parse_session(word: &str) -> Result<(SessionId, Option<NodeName>), String> {
    let (session, node) = match word.split_once('@') {
        Some((session, node)) => (session, Some(NodeName::from(node))),
        None => (word, None),
    };
    let number = session.strip_prefix('c').and_then(|number| number.parse().ok());
    let number =
        number.ok_or_else(|| format!("{session:?} is no session; expected c and a number, such as c0"))?;
    Ok((SessionId(number), node))
}

fn parse_call(words: &mut Words<'_>) -> Result<Call, String> {
    if words.peek() == Some("txn") {
        words.word("txn")?;
        let micro_ops: Result<Vec<MicroOp>, String> =
            words.rest().split(';').map(|part| parse_whole_micro_op(part.trim())).collect();
        return micro_ops.map(Call::Transaction);
    }
    parse_whole_micro_op(words.rest()).map(Call::Single)
}

fn parse_whole_micro_op(text: &str) -> Result<MicroOp, String> {
    let mut words = Words::new(text);
    let micro_op = parse_micro_op(&mut words)?;
    match words.peek() {
        None => Ok(micro_op),
        Some(word) => Err(format!("{word:?} is left over after {}", print_micro_op(&micro_op))),
    }
}

fn parse_micro_op(words: &mut Words<'_>) -> Result<MicroOp, String> {
    let name = words.word("a call")?;
    let key = Key::from(words.word("a key")?);
    Ok(match name.as_str() {
        "read" => MicroOp::Read { key },
        "write" => MicroOp::Write { key, value: words.value()? },
        "cas" => MicroOp::CompareAndSet { key, expected: Box::new(words.observed()?), value: words.value()? },
        "append" => MicroOp::Append { key, element: words.value()? },
        "add" => MicroOp::Add { key, element: words.value()? },
        "remove" => MicroOp::Remove { key, element: words.value()? },
        "increment" => {
            let by = words.word("a number")?;
            MicroOp::Increment { key, by: by.parse().map_err(|_| format!("{by:?} is no 64-bit number"))? }
        }
        "delete" => MicroOp::Delete { key },
        "enqueue" => MicroOp::Enqueue { key, element: words.value()? },
        "dequeue" => MicroOp::Dequeue { key },
        "push" => MicroOp::Push { key, element: words.value()? },
        "pop" => MicroOp::Pop { key },
        other => {
            return Err(format!(
                "no call {other:?}; there are read, write, cas, append, add, remove, increment, delete, \
                 enqueue, dequeue, push, pop, txn"
            ));
        }
    })
}

fn parse_outcome(text: &str, call: &Call) -> Result<Outcome, String> {
    let reason = |rest: &str, usual: Reason| {
        if rest.is_empty() { usual } else { Reason::from(rest.to_string()) }
    };
    if let Some(rest) = text.strip_prefix("failed") {
        return Ok(Outcome::Failed(reason(rest.trim(), Reason::CONFLICT)));
    }
    if let Some(rest) = text.strip_prefix("unknown") {
        return Ok(Outcome::Unknown(reason(rest.trim(), Reason::TIMEOUT)));
    }
    let parts: Vec<&str> = text.split(';').map(str::trim).collect();
    if parts.len() != call.micro_ops().len() {
        return Err(format!("{} operations have {} answers", call.micro_ops().len(), parts.len()));
    }
    parts
        .iter()
        .zip(call.micro_ops())
        .map(|(part, micro_op)| parse_reply(part, micro_op))
        .collect::<Result<_, _>>()
        .map(Outcome::Confirmed)
}

fn parse_reply(text: &str, micro_op: &MicroOp) -> Result<Reply, String> {
    let mut words = Words::new(text);
    let reply = if micro_op.observes() {
        Reply::read(words.observed()?)
    } else {
        match words.word("ok")?.as_str() {
            "ok" => Reply::changed(words.next_word().map(Version::from)),
            other => {
                return Err(format!("{other:?} is no answer to a change; expected ok, failed or unknown"));
            }
        }
    };
    match words.peek() {
        None => Ok(reply),
        Some(word) => Err(format!("{word:?} is left over in the answer {text:?}")),
    }
}

/// Words between white space; lists and quoted texts are one word.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.trim() }
    }

    fn rest(&self) -> &'a str {
        self.rest
    }

    fn peek(&self) -> Option<&'a str> {
        let end = word_end(self.rest);
        (end > 0).then(|| &self.rest[..end])
    }

    fn next_word(&mut self) -> Option<String> {
        let word = self.peek()?;
        self.rest = self.rest[word.len()..].trim_start();
        Some(word.to_string())
    }

    fn word(&mut self, expected: &str) -> Result<String, String> {
        self.next_word().ok_or_else(|| format!("the line ends where {expected} was expected"))
    }

    fn value(&mut self) -> Result<Value, String> {
        let word = self.word("a value")?;
        parse_value(&word)
    }

    fn observed(&mut self) -> Result<Observed, String> {
        let mut observed = Observed::default();
        loop {
            let word = self.word("a value or `nothing`")?;
            let (value, version) = split_version(&word);
            if value != "nothing" {
                observed.values.push(parse_value(value)?);
            }
            observed.versions.extend(version.map(Version::from));
            if self.peek() != Some("|") {
                return Ok(observed);
            }
            self.next_word();
        }
    }
}

fn word_end(text: &str) -> usize {
    let (mut depth, mut quoted) = (0_usize, false);
    for (index, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if character.is_whitespace() && depth == 0 && !quoted => return index,
            _ => {}
        }
    }
    text.len()
}

fn split_version(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once('@') {
        Some((value, version)) if !version.contains('"') => (value, Some(version)),
        _ => (word, None),
    }
}

// A list without commas is a list in JSON once they are put in; texts keep what they contain.
fn parse_value(word: &str) -> Result<Value, String> {
    let (mut json, mut quoted, mut gap) = (String::new(), false, false);
    for character in word.chars() {
        if character == '"' {
            quoted = !quoted;
        }
        if character.is_whitespace() && !quoted {
            gap = true;
            continue;
        }
        if gap && character != ']' && !json.ends_with('[') {
            json.push(',');
        }
        gap = false;
        json.push(character);
    }
    serde_json::from_str(&json).map_err(|_| {
        format!("{word:?} is no value; expected a 64-bit number, \"text\", or a [list of these]")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn round_trip(text: &str) {
        let history = parse(text).unwrap();
        let printed = print(&history);
        assert_eq!(parse(&printed).unwrap(), history, "{printed}");
    }

    #[test]
    fn everything_survives_a_round_trip() {
        round_trip(
            r#"
            # A comment.
            nodes A B
            c0@A  0..5    write x [1 [2 "a b"] []]   -> ok A:1
            c1@A  6..9    cas x [1]@A:1 [1 2]        -> ok A:2
            c1@A  10..10  cas x nothing 5            -> failed conflict
            c2@B  7..8    txn read x; increment n -3 -> 1@A:1 | 2@B:1; ok B:2
            c3    10..11  append l 4                 -> unknown timeout
            c4    12..    delete y
            -- final-reads
            c5@A          read x                     -> nothing@A:5
            c5@A          add s "x"                  -> ok
            c5@A          remove s 3                 -> ok A:9
            c5@A          enqueue q 1                -> ok
            c5@A          dequeue q                  -> 1
            c6@A          push t 2                   -> unknown timeout
            c5@A          pop t                      -> nothing
            "#,
        );
    }

    #[test]
    fn a_flaw_names_its_line_and_what_was_expected() {
        let flaw = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(flaw("x write y 1"), r#"line 1: "x" is no session; expected c and a number, such as c0"#);
        assert_eq!(
            flaw("\nc0 jump y"),
            r#"line 2: no call "jump"; there are read, write, cas, append, add, remove, increment, delete, enqueue, dequeue, push, pop, txn"#
        );
        assert_eq!(
            flaw("c0 0..2 read x -> 1\nc0 1..3 read x -> 1"),
            "line 2: session c0 calls while its call at 0.000 s is still in flight; \
             give each concurrent caller a session of its own"
        );
    }

    const ANSWERED_CALLS: [(&str, &str); 17] = [
        ("read k1", "nothing"),
        ("read k1", "nothing@A:5"),
        ("read k2", "[1 [2 \"a b\"] []]@v7 | -5@v8"),
        ("write k1 \"\"", "ok"),
        ("write k1 9223372036854775807", "ok A:1"),
        ("cas k2 1@v1 | 2@v2 3", "ok"),
        ("cas k2 nothing 3", "failed conflict"),
        ("append k3 [1]", "unknown timeout"),
        ("increment k4 -9223372036854775808", "ok"),
        ("delete k1", "unknown disconnected"),
        ("txn read k1; remove k5 1", "5; ok v9"),
        ("txn add k5 1; read k5; delete k5", "ok; [1 2]; ok"),
        ("enqueue k6 1", "ok"),
        ("dequeue k6", "1"),
        ("push k7 \"a\"", "ok v3"),
        ("pop k7", "nothing"),
        ("txn pop k7; push k7 2", "1@v4; ok"),
    ];

    fn line() -> impl Strategy<Value = String> {
        const PHASES: [&str; 5] = ["load", "settle", "settled", "final-reads", "done"];
        prop_oneof![
            8 => (select(&ANSWERED_CALLS[..]), 0..2_u8).prop_map(|((call, answer), node)| {
                format!("{} FROM..TO {call} -> {answer}", ["cID", "cID@A"][usize::from(node)])
            }),
            1 => select(&ANSWERED_CALLS[..]).prop_map(|(call, _)| format!("cID FROM.. {call}")),
            1 => select(&PHASES[..]).prop_map(|phase| format!("-- {phase} FROM")),
        ]
    }

    proptest! {
        // Each event has a millisecond of its own: calls begin at odd ones and end at even ones.
        #[test]
        fn any_history_of_words_survives_a_round_trip(
            lines in proptest::collection::vec((line(), 0..6_usize), 0..20)
        ) {
            let place = |(index, (line, length)): (usize, (String, usize))| {
                let from = 2 * index + 1;
                let to = from + 2 * length * 7 + 1;
                line.replace("ID", &index.to_string())
                    .replace("FROM", &from.to_string())
                    .replace("TO", &to.to_string())
            };
            let text: Vec<String> = lines.into_iter().enumerate().map(place).collect();
            let history = parse(&text.join("\n")).unwrap();
            let printed = print(&history);
            prop_assert_eq!(parse(&printed).unwrap(), history, "{}", printed);
        }

        #[test]
        fn no_text_makes_the_parser_panic(
            words in proptest::collection::vec(prop_oneof![
                select(&["c0", "c0@A", "0..5", "..", "5..", "99999999999999999999..", "18446744073709551615..",
                    "txn", "read", "cas", "x", "[1", "]", "\"", "é@", "->", ";", "|", "ok", "nothing", "failed",
                    "--", "settle", "#", "\n", "\n", "nodes"][..]).prop_map(String::from),
                any::<String>(),
            ], 0..30)
        ) {
            let _ = parse(&words.join(" "));
        }
    }
}
