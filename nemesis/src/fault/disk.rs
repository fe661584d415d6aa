//! Disks that fail: with an error, with no room, with half a write, or with a lie.
//!
//! ```text
//! disk-error    append, sync ─► error     what of it is durable? nobody knows: a sound process ends
//! disk-full     append ─► no room         nothing is written: the process ends
//! disk-torn     append ──╳                the power goes; half the write is there and does not check
//! disk-lies     append, sync ─► "done"    it is not: a crash before the heal takes it
//! ```
//!
//! The first three end the process with the next write that meets them, and the heal starts it again. A
//! lie does nothing by itself: it needs a `kill` of the same node while it lasts.
//!
//! Sources: Rebello and others, USENIX ATC 2020, "Can applications recover from fsync failures?";
//! Ganesan and others, FAST 2017, "Redundancy does not imply fault tolerance"; Pillai and others, OSDI
//! 2014, "All file systems are not created equal", for torn writes.

use histories::NodeName;
use rand::Rng;

use super::processes::{self, Processes};
use super::{Argument, Fault, Form, Resolved, Syntax};
use crate::controls::Control;
use crate::effect::DiskTrouble;
use crate::{Effect, Error, PlannedFault};

pub(crate) struct Disk {
    name: &'static str,
    about: &'static str,
    trouble: DiskTrouble,
}

pub(crate) static ERROR: Disk = Disk {
    name: "disk-error",
    about: "answers the next sync with an error, so the process ends; the heal starts it again",
    trouble: DiskTrouble::Error,
};

pub(crate) static FULL: Disk = Disk {
    name: "disk-full",
    about: "has no room for the next write, so the process ends; the heal makes room and starts it again",
    trouble: DiskTrouble::Full,
};

pub(crate) static LIES: Disk = Disk {
    name: "disk-lies",
    about: "says that it has synced and has not: a kill meanwhile takes what was confirmed",
    trouble: DiskTrouble::Lies,
};

pub(crate) static TORN: Disk = Disk {
    name: "disk-torn",
    about: "loses power in the middle of the next write; the heal starts the process again",
    trouble: DiskTrouble::Torn,
};

impl Fault for Disk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn syntax(&self) -> &'static [Syntax] {
        processes::SYNTAX
    }

    fn needs(&self) -> Control {
        Control::Disk
    }

    fn is_survivable(&self) -> bool {
        self.trouble != DiskTrouble::Lies
    }

    fn parse(&self, argument: &Argument) -> Result<Box<dyn Form>, Error> {
        let (which, trouble) = (processes::parse(self, argument)?, self.trouble);
        Ok(Box::new(Spoilt { name: self.name, which, trouble }))
    }

    fn draw(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Argument {
        processes::draw(nodes, rng)
    }

    fn guess(&self, planned: &PlannedFault, _: &[NodeName]) -> Option<Argument> {
        processes::guess(planned, |effect| match effect {
            Effect::Disk { node, trouble } if *trouble == self.trouble => Some(node),
            _ => None,
        })
    }
}

#[derive(Debug)]
struct Spoilt {
    name: &'static str,
    which: Processes,
    trouble: DiskTrouble,
}

impl Form for Spoilt {
    fn resolve(&self, nodes: &[NodeName], rng: &mut dyn Rng) -> Result<Resolved, Error> {
        let chosen = self.which.choose(nodes, rng)?;
        let summary = format!("{} {}", self.name, super::join(&chosen));
        let trouble = self.trouble;
        let effects = chosen.into_iter().map(|node| Effect::Disk { node, trouble }).collect();
        Ok(Resolved::steady(summary, effects))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::fault::tests::resolve;

    fn check(line: &str, nodes: &str, expected: Expect) {
        expected.assert_eq(&resolve(line, nodes));
    }

    #[test]
    fn each_kind_has_a_name_of_its_own() {
        check("disk-error = 'B'", "A B C", expect!["disk-error B: disk b error"]);
        check("disk-full = 'one'", "A B C", expect!["disk-full C: disk c full"]);
        check("disk-lies = 'all'", "A B", expect!["disk-lies A B: disk a lies disk b lies"]);
        check("disk-torn = 'C A'", "A B C", expect!["disk-torn A C: disk a torn disk c torn"]);
        check(
            "disk-torn = 'half'",
            "A B C",
            expect!["`disk-torn` names the node `half`; the nodes are: A B C"],
        );
    }
}
