//! Witnesses of findings: made here of what the checkers say, verified by a crate that knows no checker.

use std::path::Path;

use checkers::{EdgeKind, Finding};
use histories::OperationId;
use witness::{Hint, Kind, Record, Witness};

use crate::graph::{Graph, dot, svg};
use crate::report::model::Told;

/// The witness of a finding; one of the form `not-verifiable` if there is none.
pub(crate) fn of(record: &Record<'_>, guarantee: &str, finding: &Finding) -> Witness {
    let operations: Vec<OperationId> = finding.steps.iter().map(|step| step.operation).collect();
    let edges: Vec<_> = finding.edges.iter().map(|edge| (edge.from, edge.to, kind(edge.kind))).collect();
    let Finding { anomaly, keys, .. } = finding;
    witness::prove(record, &Hint { guarantee, anomaly, keys, operations: &operations, edges: &edges })
}

fn kind(kind: EdgeKind) -> Kind {
    match kind {
        EdgeKind::WriteWrite => Kind::Ww,
        EdgeKind::WriteRead => Kind::Wr,
        EdgeKind::ReadWrite => Kind::Rw,
        EdgeKind::Session => Kind::So,
        EdgeKind::RealTime => Kind::Rt,
    }
}

/// Each finding's files: their names below a folder, and what is in them.
pub(crate) fn files(record: &Record<'_>, told: &Told) -> anyhow::Result<Vec<(String, String)>> {
    let graph = Graph::of(told);
    let mut files = vec![
        (format!("{}/graph.dot", told.id), dot(&graph)),
        (format!("{}/graph.svg", told.id), svg(&graph)),
    ];
    if let Some(finding) = &told.finding {
        let witness = of(record, told.guarantee, finding);
        let text = serde_json::to_string_pretty(&witness)? + "\n";
        files.insert(0, (format!("{}/witness.json", told.id), text));
    }
    Ok(files)
}

/// Writes the files of all findings below a folder.
pub(crate) fn write_all(record: &Record<'_>, findings: &[Told], folder: &Path) -> anyhow::Result<()> {
    for told in findings {
        for (name, text) in files(record, told)? {
            let path = folder.join(name);
            let above = path.parent().unwrap_or(folder);
            let place = |error| anyhow::anyhow!("{}: {error}", path.display());
            std::fs::create_dir_all(above).map_err(place)?;
            std::fs::write(&path, text).map_err(place)?;
        }
    }
    Ok(())
}
