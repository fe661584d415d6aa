//! What each fault does to the bundled database: which are seen in a verdict, and which are not.

use checkers::Judgement;

use super::tests::judged;
use crate::plan::layer::merge;
use crate::plan::{Plan, file};
use crate::rng::Seed;

/// What a second of load and the faults come to, for three seeds: broken guarantees and those that held.
fn outcomes(target: &str, faults: &str) -> Vec<(Vec<&'static str>, Vec<&'static str>, bool)> {
    let text = format!(
        "version = 1\nworld = 'sim'\ntarget = 'reference:{target}'\n[load]\nworkload = 'set'\n\
         duration = '3s'\nrate = 300\nkeys = 20\n[check]\nsettle = '2s'\n{faults}"
    );
    let file = file::parse("plan.toml", &text, None).unwrap_or_else(|stop| panic!("{:#}", stop.error));
    let merged = merge(Plan::default(), &[file.settings]).unwrap_or_else(|stop| panic!("{:#}", stop.error));
    let one = |seed| {
        let (_, judged, ended) = judged(&merged, Seed(seed));
        let of = |wanted: fn(&Judgement) -> bool| {
            let rows = judged.rows.iter().filter(|row| wanted(&row.verdict.judgement));
            rows.map(|row| row.verdict.guarantee).collect()
        };
        (of(|found| *found == Judgement::Broken), of(|found| *found == Judgement::Held), ended.equal)
    };
    (1..4).map(one).collect()
}

/// Nothing that was confirmed is lost, and the nodes agree.
fn survives(target: &str, faults: &str) {
    for (broken, held, equal) in outcomes(target, faults) {
        assert!(equal && !broken.contains(&"no-lost-updates"), "{faults}: broken {broken:?}");
        assert!(
            held.contains(&"no-lost-updates") && held.contains(&"convergence"),
            "{faults}: held {held:?}"
        );
    }
}

#[test]
fn a_disk_that_fails_or_tears_a_write_loses_nothing_that_was_confirmed() {
    for kind in ["disk-error", "disk-full", "disk-torn"] {
        for target in ["crdt", "siblings"] {
            survives(target, &format!("[[fault]]\nat = '1s'\nfor = '500ms'\n{kind} = 'A'"));
        }
    }
}

#[test]
fn a_disk_that_lies_loses_what_it_confirmed_once_its_node_is_killed() {
    let lies = "[[fault]]\nat = '500ms'\nfor = '2s'\ndisk-lies = 'A'\n";
    survives("crdt", lies);
    let apart = "[[fault]]\nat = '600ms'\nfor = '1.9s'\npartition = ['A', 'B C']\n";
    let kill = "[[fault]]\nat = '1.5s'\nfor = '500ms'\nkill = 'A'";
    for (broken, ..) in outcomes("crdt", &format!("{lies}{apart}{kill}")) {
        assert!(broken.contains(&"no-lost-updates"), "{broken:?}");
    }
}

/// A node whose disk forgets numbers its events anew, and others have those numbers already: what a node
/// must not forget, or the replicas never agree again. That they do not is seen as such.
#[test]
fn nodes_that_do_not_become_equal_in_time_are_told() {
    let lies = "[[fault]]\nat = '500ms'\nfor = '2s'\ndisk-lies = 'A'\n";
    let kill = "[[fault]]\nat = '1.5s'\nfor = '500ms'\nkill = 'A'";
    let outcomes = outcomes("crdt", &format!("{lies}{kill}"));
    assert!(outcomes.iter().any(|(_, _, equal)| !equal), "every seed became equal");
    for (broken, _, equal) in outcomes {
        assert!(equal || broken.contains(&"convergence"), "{broken:?}");
    }
}

#[test]
fn a_wiped_node_gets_back_what_others_have_and_loses_what_only_it_had() {
    for target in ["crdt", "siblings"] {
        survives(target, "[[fault]]\nat = '500ms'\nfor = '200ms'\nclock = { node = 'A', jump = '-2s' }");
        let apart = "[[fault]]\nat = '500ms'\nfor = '2s'\npartition = ['A', 'B C']\n";
        let wipe = "[[fault]]\nat = '1.5s'\nfor = '200ms'\nwipe = 'A'\n";
        let back = "[[fault]]\nat = '1s'\nfor = '1.5s'\nclock = { node = 'A', jump = '-10s' }";
        for (broken, _, equal) in outcomes(target, &format!("{apart}{wipe}{back}")) {
            assert!(equal && broken.contains(&"no-lost-updates"), "{target}: {broken:?}");
            assert!(!broken.contains(&"convergence"), "{target}: {broken:?}");
        }
        // Its clients are elsewhere, so all that it had came from others.
        let idle = "[[fault]]\nat = '1ms'\nfor = '2.9s'\ncut = ['clients', 'A']\n";
        survives(target, &format!("{idle}{wipe}{back}"));
    }
}

#[test]
fn messages_that_are_lost_doubled_clogged_and_overtaken_do_no_harm() {
    for fault in ["lose = '50%'", "duplicate = '50%'", "reorder = '50%'", "clog = 'all'", "cut = 'random'"] {
        for target in ["crdt", "siblings,topology=ring", "single-leader"] {
            survives(target, &format!("[[fault]]\nat = '500ms'\nfor = '2s'\n{fault}"));
        }
    }
}

#[test]
fn clocks_that_are_wrong_do_no_harm_where_nothing_is_decided_by_them() {
    for clock in ["jump = '-10s'", "jump = '10s'", "drift = '-100000ppm'", "jump = '2s', strobe = '50ms'"] {
        for target in ["crdt", "siblings", "single-leader"] {
            let fault = format!("[[fault]]\nat = '500ms'\nfor = '2s'\nclock = {{ node = 'A', {clock} }}");
            survives(target, &fault);
        }
    }
}
