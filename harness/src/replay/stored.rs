//! What is stored of a run: where its resolved plan is, and what was recorded.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::run_of;
use crate::exit::Stop;
use crate::plan::World;
use crate::rng::Seed;
use crate::run::{Prepared, Resolved};
use crate::store::{Run, Store};

/// A resolved plan, and what lies beside it.
pub(crate) struct Stored {
    /// What messages call it.
    pub(crate) name: String,
    /// Where its plan is.
    pub(crate) path: PathBuf,
    pub(crate) run: Run,
    pub(crate) resolved: Resolved,
}

impl Stored {
    /// Finds a run by its name, its folder, the path of its resolved plan, or its whole seed.
    pub(crate) fn find(store: &Store, source: &str) -> Result<Self, Stop> {
        let path = Path::new(source);
        if path.is_file() {
            return Self::at(source.to_string(), path.to_path_buf());
        }
        if path.is_dir() {
            return Self::at(source.to_string(), path.join("plan.resolved.json"));
        }
        if source.contains(['/', '.']) {
            return Err(Stop::data(format!(
                "{source}: no such file; give a run's name, its folder, its seed or the path of a plan.resolved.json"
            )));
        }
        let run = match by_seed(store, source)? {
            Some(run) => run,
            None => store.find(source)?,
        };
        Self::at(format!("run {}", run.id), run.path("plan.resolved.json"))
    }

    fn at(name: String, path: PathBuf) -> Result<Self, Stop> {
        let resolved = Resolved::read(&path)?;
        let run = run_of(&path);
        Ok(Self { name, path, run, resolved })
    }

    /// The plan made ready for this world, or for its own.
    pub(crate) fn prepared(&self, world: Option<World>) -> Result<Prepared, Stop> {
        let mut resolved = self.resolved.clone();
        if let Some(world) = world {
            resolved.world = world.as_str().into();
        }
        let prepared = Prepared::of(resolved, Vec::new());
        prepared.map_err(|reason| Stop::data(format!("{}: {reason}", self.path.display())))
    }

    /// The recorded history, byte by byte, if it was made by this very plan in the simulated world.
    pub(super) fn recorded(&self, prepared: &Prepared) -> Result<Option<Vec<u8>>, Stop> {
        let path = self.run.history();
        if self.resolved.world != World::Sim.as_str() || prepared.world != World::Sim || !path.exists() {
            return Ok(None);
        }
        let read = || {
            let file = std::fs::File::open(&path)?;
            let mut bytes = Vec::new();
            match path.extension().is_some_and(|extension| extension == "zst") {
                true => zstd::Decoder::new(file)?.read_to_end(&mut bytes)?,
                false => std::io::BufReader::new(file).read_to_end(&mut bytes)?,
            };
            Ok(bytes)
        };
        let read: std::io::Result<Vec<u8>> = read();
        read.map(Some).map_err(|error| Stop::data(format!("{}: {error}", path.display())))
    }

    /// The plans for people that lie beside it.
    pub(crate) fn plans(&self) -> Vec<(&'static str, String)> {
        let read = |name| Some((name, std::fs::read_to_string(self.run.path(name)).ok()?));
        ["plan.toml", "shrunk.toml"].into_iter().filter_map(read).collect()
    }
}

/// The latest run with this seed, if `text` is a whole one.
fn by_seed(store: &Store, text: &str) -> Result<Option<Run>, Stop> {
    let Some(seed) = text.parse::<Seed>().ok().filter(|seed| seed.to_string() == text) else {
        return Ok(None);
    };
    let has_it = |run: &Run| {
        Resolved::read(&run.path("plan.resolved.json")).is_ok_and(|resolved| resolved.seed() == seed)
    };
    Ok(store.list()?.into_iter().rev().find(has_it))
}
