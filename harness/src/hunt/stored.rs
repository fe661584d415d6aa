//! A hunt on the disk: what it hunts with and how far it is, so that it can go on.
//!
//! ```text
//! .rashomon/hunts/20260821-141207-7f3a/
//! ├── plan.toml     the plan, each value with its origin
//! ├── hunt.json     the first seed, how many are counted, what they came to; always whole
//! └── lock          held by whoever hunts
//! ```
//!
//! What is counted are the first so many seeds, without gaps. What was played beyond them when the hunt ended, even
//! by `kill -9`, is played again and counted once.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;
use histories::Nanos;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::exit::Stop;
use crate::plan::layer::{Merged, merge};
use crate::plan::{Plan, file};
use crate::rng::Seed;
use crate::store::Store;

/// What `hunt.json` says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct State {
    /// The version of `hunt.json`.
    version: u32,
    /// The seed from which all others are made.
    first_seed: String,
    /// The flags of the plan, to be given to `run` again.
    pub(super) words: Vec<String>,
    pub(super) keep_going: bool,
    /// For how long seeds were played.
    pub(super) elapsed: Nanos,
    pub(super) tally: Tally,
}

const VERSION: u32 = 1;

/// A hunt that is ours: nobody else goes on with it meanwhile.
pub(crate) struct Stored {
    pub(super) id: String,
    folder: PathBuf,
    _lock: File,
    pub(super) state: State,
}

/// What a new hunt puts down.
pub(super) struct Beginning<'a> {
    pub(super) merged: &'a Merged,
    pub(super) words: &'a [String],
    pub(super) first: Seed,
    pub(super) keep_going: bool,
}

impl Stored {
    /// A folder for a new hunt.
    pub(super) fn create(store: &Store, moment: &str, beginning: &Beginning<'_>) -> Result<Self, Stop> {
        let (id, folder) = store.create_hunt(moment, beginning.first).map_err(Stop::cannot_write)?;
        let lock = lock(&id, &folder)?;
        let plan = folder.join("plan.toml");
        fs::write(&plan, beginning.merged.show())
            .with_context(|| format!("cannot write {}", plan.display()))
            .map_err(Stop::cannot_write)?;
        let state = State {
            version: VERSION,
            first_seed: beginning.first.to_string(),
            words: beginning.words.to_vec(),
            keep_going: beginning.keep_going,
            elapsed: Nanos(0),
            tally: Tally::default(),
        };
        let stored = Self { id, folder, _lock: lock, state };
        stored.save()?;
        Ok(stored)
    }

    /// The hunt that `name` names, to go on with, and its plan.
    pub(crate) fn find(store: &Store, name: &str) -> Result<(Self, Merged), Stop> {
        let (id, folder) = store.find_hunt(name)?;
        let lock = lock(&id, &folder)?;
        let state = read(&folder)?;
        let plan = file::read(&folder.join("plan.toml"), None)?;
        let merged = merge(Plan::default(), &[plan.settings])?;
        Ok((Self { id, folder, _lock: lock, state }, merged))
    }

    pub(crate) fn first(&self) -> Result<Seed, Stop> {
        self.state.first_seed.parse().map_err(|reason| Stop::data(format!("hunt {}: {reason}", self.id)))
    }

    pub(crate) fn words(&self) -> Vec<String> {
        self.state.words.clone()
    }

    pub(crate) fn keeps_going(&self) -> bool {
        self.state.keep_going
    }

    /// Puts down how far it is. Whoever looks, and whoever comes after a crash, finds the old or the new state.
    pub(super) fn save(&self) -> Result<(), Stop> {
        let write = || {
            let part = self.folder.join("hunt.part");
            let text = serde_json::to_string_pretty(&self.state)? + "\n";
            fs::write(&part, text)?;
            fs::rename(&part, self.folder.join("hunt.json"))?;
            anyhow::Ok(())
        };
        let place = self.folder.join("hunt.json");
        write().with_context(|| format!("cannot write {}", place.display())).map_err(Stop::cannot_write)
    }
}

fn lock(id: &str, folder: &Path) -> Result<File, Stop> {
    let path = folder.join("lock");
    let file = File::create(&path)
        .with_context(|| format!("cannot write {}", path.display()))
        .map_err(Stop::cannot_write)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Stop::usage(format!("hunt {id} goes on right now; stop it first, or begin another")))
        }
        Err(TryLockError::Error(error)) => Err(Stop::cannot_write(error)),
    }
}

fn read(folder: &Path) -> Result<State, Stop> {
    let path = folder.join("hunt.json");
    let refuse = |reason: String| {
        Stop::data(format!("{}: {reason}; it cannot go on, begin another hunt", path.display()))
    };
    let text = fs::read_to_string(&path).map_err(|error| refuse(error.to_string()))?;
    let state: State = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    if state.version != VERSION {
        return Err(refuse(format!("version {}; this program reads version {VERSION}", state.version)));
    }
    Ok(state)
}

/// One line about a hunt, for a list.
pub(crate) fn summary(folder: &Path) -> String {
    match read(folder) {
        Ok(State { tally, .. }) => super::telling::summary(&tally),
        Err(_) => "cannot be read".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunt_is_found_again_as_it_was_put_down_and_has_one_hunter() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let merged = merge(Plan::default(), &[]).unwrap();
        let words = ["--keys".to_string(), "5".to_string()];
        let beginning = Beginning { merged: &merged, words: &words, first: Seed(7), keep_going: true };
        let mut stored = Stored::create(&store, "20260101-000000", &beginning).unwrap();
        stored.state.tally.seeds = 12;
        stored.save().unwrap();
        let busy = Stored::find(&store, "latest").err().unwrap();
        assert!(format!("{:#}", busy.error).contains("goes on right now"), "{:#}", busy.error);
        drop(stored);
        let (found, plan) = Stored::find(&store, "0101").unwrap();
        assert_eq!(
            (found.first().unwrap(), found.words(), found.keeps_going()),
            (Seed(7), words.to_vec(), true)
        );
        assert_eq!(found.state.tally.seeds, 12);
        assert_eq!(plan.plan.load.keys, merged.plan.load.keys);
    }
}
