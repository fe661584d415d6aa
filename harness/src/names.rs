//! Unknown names: the nearest ones first, then the list.

/// What to say when `name` is not among `known`: `no workload "apend"; did you mean append? There
/// are append, counter, …`.
///
/// A dotted name whose table exists is answered with that table's names only.
pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = known.into_iter().collect();
    let table = name.split_once('.').map(|(table, _)| format!("{table}."));
    let in_table: Vec<&str> = match &table {
        Some(table) => all.iter().copied().filter(|known| known.starts_with(table)).collect(),
        None => Vec::new(),
    };
    let known = if in_table.is_empty() { all } else { in_table };
    let near = slips(name, &known);
    let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    let stop = if near.is_empty() { ";" } else { "" };
    format!("no {what} {name:?}{hint}{stop} there are {}", known.join(", "))
}

/// The names that a slip of the finger could have turned into `name`, nearest first, three at most.
fn slips<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    scored(name, known).into_iter().filter(|(score, _)| *score > 0.85).take(3).map(|(_, name)| name).collect()
}

/// The three names that are most like `name`, nearest first.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    scored(name, known).into_iter().take(3).map(|(_, name)| name).collect()
}

fn scored<'a>(name: &str, known: &[&'a str]) -> Vec<(f64, &'a str)> {
    let name = name.to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&name, &candidate.to_lowercase());
    let mut scored: Vec<(f64, &str)> = known.iter().map(|candidate| (score(candidate), *candidate)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_gets_the_nearest_name() {
        assert_eq!(
            unknown("workload", "apend", ["append", "counter"]),
            r#"no workload "apend"; did you mean append? there are append, counter"#
        );
        assert_eq!(unknown("workload", "zzz", ["append"]), r#"no workload "zzz"; there are append"#);
        assert_eq!(
            unknown("setting", "load.rat", ["name", "load.rate", "load.keys"]),
            r#"no setting "load.rat"; did you mean load.rate? there are load.rate, load.keys"#
        );
    }
}
