//! What one session can know of: the calls on which the order that explains its reads depends.
//!
//! ```text
//!   c0  w x 1   w x 2   w y 3           c2 read 2: of c0 the first two calls count, of c1 none
//!   c1  w x 4
//!   c2  r x → 2
//! ```
//!
//! Whatever follows for a session is about what comes before its reads: a call that comes before none of
//! them can be put after all of them. So a session that knows of little is judged by little, however many
//! others there are. O(m log m) time, O(m) memory for m calls known, after O(k) once for k sessions.

use crate::views::record::{Found, Record};

/// Finds the past of one session after the other.
pub(super) struct Pasts<'r> {
    record: &'r Record,
    /// Of each session how many calls are known.
    known: Vec<u32>,
}

impl<'r> Pasts<'r> {
    pub(super) fn new(record: &'r Record) -> Self {
        Self { record, known: vec![0; record.sessions.len()] }
    }

    /// A record of what this session knows of, in which it is the first session. If `causal`, what others had read
    /// counts, else only what they replaced. None if there are more calls than `most`.
    pub(super) fn of(&mut self, session: u32, causal: bool, most: u64) -> Option<Record> {
        let record = self.record;
        let mut sessions = vec![session];
        let mut open = vec![(session, 0, record.sessions[session as usize].len() as u32)];
        self.known[session as usize] = record.sessions[session as usize].len() as u32;
        let mut count = u64::from(self.known[session as usize]);
        while let Some((at, from, to)) = open.pop().filter(|_| count <= most) {
            for number in &record.sessions[at as usize][from as usize..to as usize] {
                let node = record.node(*number);
                let Found::From(source) = node.found else { continue };
                if !causal && at != session && !node.writes {
                    continue;
                }
                let source = record.node(source);
                let known = &mut self.known[source.session as usize];
                if *known >= source.position {
                    continue;
                }
                if *known == 0 {
                    sessions.push(source.session);
                }
                count += u64::from(source.position - *known);
                open.push((source.session, *known, source.position));
                *known = source.position;
            }
        }
        let past = (count <= most).then(|| self.part(&sessions));
        sessions.iter().for_each(|session| self.known[*session as usize] = 0);
        past
    }

    // In the order of the whole record.
    fn part(&self, sessions: &[u32]) -> Record {
        let mut part = Record { sessions: vec![Vec::new(); sessions.len()], ..Record::default() };
        let mut calls: Vec<(u32, u32)> = Vec::new();
        for (place, session) in sessions.iter().enumerate() {
            let known = self.known[*session as usize] as usize;
            let numbers = &self.record.sessions[*session as usize][..known];
            calls.extend(numbers.iter().map(|number| (*number, place as u32)));
        }
        calls.sort_unstable();
        for (place, (number, session)) in calls.iter().enumerate() {
            let mut node = *self.record.node(*number);
            node.session = *session;
            if let Found::From(source) = node.found {
                // What another session read may be unknown here; then it does not count here.
                let source = calls.binary_search_by_key(&source, |(number, _)| *number);
                node.found = source.map_or(Found::Unsaid, |source| Found::From(source as u32));
            }
            part.sessions[*session as usize].push(place as u32);
            part.nodes.push(node);
        }
        part.find_lanes();
        part
    }
}
