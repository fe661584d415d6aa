//! Stored runs: one folder each, written before the run, after the history and after the check.
//!
//! ```text
//! .rashomon/runs/20260821-141207-7f3a/
//! ├── README.txt            what each file is, and the command to run it again
//! ├── plan.toml             merged, with origins as comments
//! ├── plan.resolved.json    seed and faults as they were drawn
//! ├── history.jsonl.zst     one line an event (history.jsonl while it is written)
//! ├── verdict.json          everything that a report says
//! ├── verdict.txt           what the terminal showed, in full
//! ├── anomalies/A1.json     each finding with its operations
//! ├── anomalies/A1/         its witness, and its graph as text and as a drawing
//! └── nodes/A.log           what a node printed
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exit::Stop;
use crate::rng::Seed;

/// Runs that are kept besides pinned ones.
const KEPT: usize = 20;
/// The file that marks a run to be kept for ever.
const PIN: &str = "pinned";

/// Where runs are stored.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// One stored run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// `20260821-141207-7f3a`.
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
}

impl Store {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Makes the folder of a new run that starts at `moment` (`20260821-141207`), and lets go of old ones.
    pub(crate) fn create(&self, moment: &str, seed: Seed) -> Result<Run> {
        let run = self.make("runs", moment, seed)?;
        self.prune(&run.id)?;
        Ok(run)
    }

    /// Makes the folder of a new hunt that starts at `moment`, and lets go of old ones.
    pub(crate) fn create_hunt(&self, moment: &str, seed: Seed) -> Result<(String, PathBuf)> {
        let Run { id, folder } = self.make("hunts", moment, seed)?;
        let mut others = self.hunts()?;
        others.retain(|(other, _)| *other != id);
        for (_, folder) in others.iter().take((others.len() + 1).saturating_sub(KEPT)) {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        Ok((id, folder))
    }

    fn make(&self, kind: &str, moment: &str, seed: Seed) -> Result<Run> {
        let runs = self.folder.join(kind);
        fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
        fs::write(self.folder.join(".gitignore"), "*\n")
            .with_context(|| format!("cannot write into {}", self.folder.display()))?;
        let seed: String = seed.to_string().chars().take(4).collect();
        let earlier = self.folders(kind)?.iter().filter(|run| run.id.starts_with(moment)).count();
        for place in earlier.. {
            let id = format!("{moment}{}-{seed}", letters(place));
            let folder = runs.join(&id);
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Run { id, folder }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("cannot make {}", folder.display())),
            }
        }
        unreachable!("some number is free");
    }

    /// Every run, the oldest first.
    pub(crate) fn list(&self) -> Result<Vec<Run>> {
        self.folders("runs")
    }

    /// Every hunt with its folder, the oldest first.
    pub(crate) fn hunts(&self) -> Result<Vec<(String, PathBuf)>> {
        Ok(self.folders("hunts")?.into_iter().map(|hunt| (hunt.id, hunt.folder)).collect())
    }

    fn folders(&self, kind: &str) -> Result<Vec<Run>> {
        let runs = self.folder.join(kind);
        let entries = match fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", runs.display())),
        };
        let mut found = Vec::new();
        for entry in entries {
            let folder = entry?.path();
            if let (true, Some(id)) = (folder.is_dir(), folder.file_name().and_then(|name| name.to_str())) {
                found.push(Run { id: id.to_string(), folder: folder.clone() });
            }
        }
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The run that `name` names: any part of its id that no other has, `latest`, or `-1`, `-2`, …
    pub(crate) fn find(&self, name: &str) -> Result<Run, Stop> {
        self.pick("run", "rashomon demo", name, self.list()?)
    }

    /// The hunt that `name` names, in the same ways.
    pub(crate) fn find_hunt(&self, name: &str) -> Result<(String, PathBuf), Stop> {
        let found = self.pick("hunt", "rashomon hunt", name, self.folders("hunts")?)?;
        Ok((found.id, found.folder))
    }

    fn pick(&self, kind: &str, maker: &str, name: &str, runs: Vec<Run>) -> Result<Run, Stop> {
        let not_found = || self.not_found(kind, maker, name, &runs);
        let from_end = match name {
            "latest" => Some(1),
            _ => name.strip_prefix('-').and_then(|number| number.parse::<usize>().ok()),
        };
        if let Some(back) = from_end {
            let index = runs.len().checked_sub(back.max(1));
            return index.map(|index| runs[index].clone()).ok_or_else(not_found);
        }
        let matching: Vec<&Run> = runs.iter().filter(|run| run.id.contains(name)).collect();
        match matching.as_slice() {
            [] => Err(not_found()),
            [run] => Ok((*run).clone()),
            several => {
                let ids: Vec<&str> = several.iter().map(|run| run.id.as_str()).collect();
                Err(Stop::usage(format!(
                    "{kind} {name:?} may be any of {}; give more of its name",
                    ids.join(", ")
                )))
            }
        }
    }

    fn not_found(&self, kind: &str, maker: &str, name: &str, runs: &[Run]) -> Stop {
        let place = self.folder.display();
        match runs.last() {
            None => Stop::usage(format!("no {kind} {name:?}: {place} has none yet; make one with  {maker}")),
            Some(last) => Stop::usage(format!(
                "no {kind} {name:?} in {place}; the latest is {}, all are in  rashomon runs list",
                last.id
            )),
        }
    }

    fn prune(&self, newest: &str) -> Result<()> {
        // What has no verdict may be a run that goes on right now.
        let may_go = |run: &Run| !run.is_pinned() && run.id != newest && run.path("verdict.txt").exists();
        let unpinned: Vec<Run> = self.list()?.into_iter().filter(may_go).collect();
        let surplus = (unpinned.len() + 1).saturating_sub(KEPT);
        unpinned.into_iter().take(surplus).try_for_each(|run| run.remove())
    }
}

impl Run {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes one of the run's files.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), Stop> {
        let path = self.path(name);
        let write = || {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, content)
        };
        write().with_context(|| format!("cannot write {}", path.display())).map_err(Stop::cannot_write)
    }

    /// The run's history, in whichever form it is there.
    pub(crate) fn history(&self) -> PathBuf {
        let packed = self.path("history.jsonl.zst");
        if packed.exists() { packed } else { self.path("history.jsonl") }
    }

    /// Compresses the history; the plain one goes once the compressed one is whole.
    pub(crate) fn pack_history(&self) -> io::Result<()> {
        let (plain, part, packed) =
            (self.path("history.jsonl"), self.path("history.part"), self.path("history.jsonl.zst"));
        let out = fs::File::create(&part)?;
        zstd::stream::copy_encode(fs::File::open(&plain)?, &out, 3)?;
        out.sync_all()?;
        fs::rename(&part, &packed)?;
        fs::remove_file(&plain)
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.path(PIN).exists()
    }

    /// Marks the run to be kept for ever, or no longer.
    pub(crate) fn pin(&self, pinned: bool) -> Result<()> {
        let path = self.path(PIN);
        let change = if pinned { fs::write(&path, "") } else { fs::remove_file(&path) };
        match change {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot change {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.with_context(|| format!("cannot remove {}", self.folder.display())),
        }
    }
}

/// Tells those of one second apart, so that ids sort by the order in which they were made: nothing, `b`,
/// `c` … `z`, `zb` …
fn letters(place: usize) -> String {
    let last = place % 25;
    let rest = if last == 0 { String::new() } else { char::from(b'a' + last as u8).to_string() };
    "z".repeat(place / 25) + &rest
}

/// Finds a run's history by the run's name, or takes `name` as the path of a file or of a run's folder.
pub(crate) fn locate(store: &Store, name: &str) -> Result<(PathBuf, Option<Run>), Stop> {
    let path = Path::new(name);
    if path.is_dir() {
        let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let run = Run { id, folder: path.to_path_buf() };
        return match run.history() {
            history if history.exists() => Ok((history, Some(run))),
            _ => Err(Stop::data(format!(
                "{name}: no history in this folder; expected history.jsonl or history.jsonl.zst"
            ))),
        };
    }
    if path.exists() {
        return Ok((path.to_path_buf(), None));
    }
    if name.contains(['/', '.']) {
        return Err(Stop::data(format!(
            "{name}: no such file; give a history file, a run's folder or a run's name"
        )));
    }
    let run = store.find(name)?;
    Ok((run.history(), Some(run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_by_any_part_that_no_other_has() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("store"));
        let first = store.create("20260821-141207", Seed(0x7f3a_0000)).unwrap();
        let second = store.create("20260821-141209", Seed(0x81be_0000)).unwrap();
        assert_eq!(store.find("7f3a").unwrap(), first);
        assert_eq!(store.find("latest").unwrap(), second);
        assert_eq!(store.find("-2").unwrap(), first);
        let flaw = |name: &str| store.find(name).unwrap_err().error.to_string();
        assert!(flaw("1412").contains("may be any of"), "{}", flaw("1412"));
        assert!(flaw("beef").contains("the latest is 20260821-141209-81be"), "{}", flaw("beef"));
        assert!(flaw("-3").contains("no run"));
    }

    #[test]
    fn old_runs_go_and_pinned_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let pinned = store.create("20260101-000000", Seed(1)).unwrap();
        pinned.pin(true).unwrap();
        for second in 0..25 {
            let run = store.create(&format!("20260102-0000{second:02}"), Seed(1)).unwrap();
            run.write("verdict.txt", "").map_err(|stop| stop.error).unwrap();
        }
        let left = store.list().unwrap();
        assert_eq!(left.len(), KEPT + 1);
        assert_eq!(left[0], pinned);
        assert_eq!(left[1].id, "20260102-000005-0000");
    }

    #[test]
    fn runs_of_one_second_are_told_apart_and_the_latest_is_the_last_made() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        for seed in [0xf000_0000, 0x1000_0000, 0x1000_0000].into_iter().cycle().take(80) {
            let made = store.create("20260101-000000", Seed(seed)).unwrap();
            assert_eq!(store.find("latest").unwrap(), made);
        }
    }
}
