//! Faults as a report shows them: one line each time, from injection to healing.

use histories::{FaultStage, History};

use super::model::FaultLine;

/// Faults with the times of their stages.
pub(super) fn fault_lines(history: &History) -> Vec<FaultLine> {
    let mut lines: Vec<(histories::FaultId, FaultLine)> = Vec::new();
    for (time, event) in history.faults() {
        let again = |line: &FaultLine| event.stage == FaultStage::Injecting && line.healed.is_some();
        let known = lines.iter().rposition(|(id, _)| *id == event.fault);
        let index = known.filter(|index| !again(&lines[*index].1)).unwrap_or_else(|| {
            let line = FaultLine {
                name: event.name.clone(),
                summary: event.summary.clone(),
                planned: event.planned,
                trigger: String::new(),
                effective: None,
                healed: None,
                evidence: String::new(),
            };
            lines.push((event.fault, line));
            lines.len() - 1
        });
        let line = &mut lines[index].1;
        match event.stage {
            FaultStage::Injecting => {
                line.planned = event.planned;
                line.trigger.clone_from(&event.detail);
            }
            FaultStage::Effective => {
                line.effective.get_or_insert(*time);
                line.evidence.clone_from(&event.detail);
            }
            FaultStage::Ineffective => line.evidence.clone_from(&event.detail),
            FaultStage::Healing => {}
            FaultStage::Healed => line.healed = Some(*time),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}
