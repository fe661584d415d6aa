//! Shrinking as a whole: from runs that broke something to the few calls that are to blame.

use expect_test::{Expect, expect};
use histories::NodeName;

use super::*;
use crate::plan::layer::{Layer, Origin, merge};
use crate::plan::{Plan, file};
use crate::replay::play;
use crate::report::build;
use crate::rng::Seed;
use crate::run::prepare;

fn prepared(settings: &[(&str, &str)], seed: u64) -> Prepared {
    let mut layer = Layer::default();
    for (path, value) in [("world", "sim")].iter().chain(settings) {
        layer.set(*path, *value, Origin::Flag(format!("--{path}")));
    }
    let merged = merge(Plan::default(), &[layer]).unwrap_or_else(|stop| panic!("{:#}", stop.error));
    prepare(&merged, Seed(seed)).unwrap_or_else(|stop| panic!("{:#}", stop.error))
}

pub(super) fn run(prepared: &Prepared) -> History {
    play(prepared, &|| false).unwrap_or_default().unwrap()
}

fn shrunk(prepared: &Prepared, jobs: usize) -> Shrunk {
    let way = Way { guarantee: None, jobs, over: &|| false, tell: &mut |_| {} };
    shrink(prepared, &run(prepared), way).unwrap_or_else(|stop| panic!("{:#}", stop.error))
}

/// The story of the simplest finding, the faults with it, and what was necessary.
pub(super) fn story(shrunk: &Shrunk) -> String {
    let judged = judge(&shrunk.history, &shrunk.prepared.rules);
    let report = build::build(&shrunk.history, &judged, build::Circumstances::default());
    let told = &report.findings[0];
    let rows = told.rows.iter().map(|row| format!("{}  {}  {}  {}", row.time, row.who, row.what, row.answer));
    let necessary = shrunk.necessary.iter().map(|necessity| necessity.told.clone());
    let lines = [told.story.clone()].into_iter().chain(rows).chain(necessary).collect::<Vec<_>>();
    lines.join("\n")
}

fn check(shrunk: &Shrunk, expected: Expect) {
    expected.assert_eq(&story(shrunk));
}

const LWW: [(&str, &str); 3] = [("target", "reference:lww"), ("load.duration", "4s"), ("load.keys", "40")];

#[test]
fn a_lost_update_is_two_calls_one_cut_and_two_nodes() {
    let whole = prepared(&LWW, 1);
    let small = shrunk(&whole, 2);
    let Size { calls, faults, nodes, .. } = size(&small.prepared.resolved);
    assert!(calls <= 4 && faults == 1 && nodes == 2, "{}\n{}", small.course(), story(&small));
    assert!(small.history.operations().len() <= 6);
    check(
        &small,
        expect![[r#"
        Client c0 added 1 to x on node A and the database said OK. At the end 1 was gone from both nodes, A and B, and no final read saw it or anything made from it.
        0.820 s  network  one-way: A ⇥ B  
        1.000 s  c0 → A  changes x from nothing to [1]  OK
        1.500 s  c1 → B  changes x from nothing to [2]  OK
        2.000 s  c2 → A  reads x  [2]
        Without one-way A ⇥ B the write survives."#]],
    );
    // Neither cores nor speed change what comes out.
    assert_eq!(shrunk(&whole, 1).prepared.resolved, small.prepared.resolved);
}

#[test]
fn a_shrunk_plan_is_read_back_as_it_is() {
    let small = shrunk(&prepared(&LWW, 1), 2);
    let resolved = &small.prepared.resolved;
    let text = plan::show(resolved, &["a remark".into()]).unwrap();
    let read =
        file::parse("shrunk.toml", &text, None).unwrap_or_else(|stop| panic!("{:#}\n{text}", stop.error));
    let merged = merge(Plan::default(), &[read.settings]).unwrap_or_else(|stop| panic!("{:#}", stop.error));
    let seed = merged.plan.seed.unwrap();
    let again = prepare(&merged, seed).unwrap_or_else(|stop| panic!("{:#}", stop.error));
    assert_eq!(&again.resolved, resolved, "{text}");
    assert_eq!(run(&again), small.history);
}

#[test]
fn a_run_that_broke_nothing_is_not_shrunk() {
    let whole = prepared(&[("target", "reference:crdt"), ("load.duration", "1s"), ("faults", "none")], 1);
    let refusal = |guarantee: Option<&str>| {
        let guarantee = guarantee.map(str::to_string);
        let way = Way { guarantee, jobs: 1, over: &|| false, tell: &mut |_| {} };
        shrink(&whole, &run(&whole), way).err().unwrap().error.to_string()
    };
    expect!["the run broke no guarantee, so there is nothing to shrink"].assert_eq(&refusal(None));
}

/// Everything that the axes do keeps a plan whole: what is pinned is about nodes and faults that there are.
#[test]
fn a_node_goes_with_its_faults_and_leaves_its_calls() {
    let whole = prepared(&[("load.duration", "2s"), ("load.keys", "5"), ("faults", "partition,kill")], 3);
    let script = Script::of(&run(&whole)).unwrap();
    let pinned = whole.resolved.pinned(script);
    for node in 0..3 {
        let fewer = change::without_node(&pinned, node, Some((node + 1) % 3)).unwrap();
        assert_eq!((fewer.nodes.len(), lines(&fewer).len()), (2, lines(&pinned).len()));
        let names: BTreeSet<&NodeName> = lines(&fewer).iter().map(|line| &line.node).collect();
        assert!(names.iter().all(|name| fewer.nodes.contains(name)));
        assert!(fewer.faults.faults.iter().all(|fault| !fault.effects.is_empty()));
        assert!(Prepared::with(fewer).is_ok());
    }
}
