//! The plan of a shrunk run as a file for people: TOML that `rashomon run` takes, in which nothing is drawn.

use nemesis::FaultSpec;
use toml::{Table, Value};

use crate::run::Resolved;
use crate::script::table;

/// A resolved plan that pins its calls, as a plan file; `remarks` stand on top.
pub(crate) fn show(resolved: &Resolved, remarks: &[String]) -> Result<String, toml::ser::Error> {
    let text = |text: &str| Value::from(text).to_string();
    let time = |time| Value::from(nemesis::duration::format(time)).to_string();
    let mut out: String = remarks.iter().map(|remark| format!("# {remark}\n")).collect();
    let mut add = |line: String| out += &(line + "\n");
    add("version = 1".into());
    for (name, value) in [
        ("name", &resolved.name),
        ("world", &resolved.world),
        ("target", &resolved.target),
        ("seed", &resolved.seed),
    ] {
        add(format!("{name} = {}", text(value)));
    }
    add(format!("\n[load]\nworkload = {}", text(&resolved.workload)));
    add(format!("duration = {}\ntimeout = {}", time(resolved.duration), time(resolved.timeout)));
    let check = &resolved.check;
    add(format!("\n[check]\nsettle = {}\ntime = {}", time(resolved.settle), time(check.time)));
    add(format!(
        "min-exposure = {}\non-indeterminate = {}",
        check.min_exposure,
        text(&check.on_indeterminate)
    ));
    for fault in &resolved.faults.faults {
        add("\n[[fault]]".into());
        let spec = Table::try_from(FaultSpec::of(fault, &resolved.nodes))?;
        let first = ["at", "for", "when"];
        let rest = spec.keys().map(String::as_str).filter(|name| !first.contains(name));
        for name in first.into_iter().chain(rest) {
            if let Some(value) = spec.get(name) {
                add(format!("{name} = {value}"));
            }
        }
    }
    if let Some(script) = &resolved.script {
        add(table::show(script)?.trim_end().to_string());
    }
    add("\n[expect]".into());
    for (guarantee, expectation) in &resolved.expect {
        add(format!("{guarantee} = {}", text(expectation)));
    }
    Ok(out)
}
