//! The sentry: what clients and faults do in real time, and the alarm that goes straight to the task
//! of the fault that waits for it.
//!
//! ```text
//!   client: A confirmed write x ──► sentry { lookout } ──alarm──► life of F2: cut, at once
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use histories::Nanos;
use tokio::sync::mpsc;

use crate::{Alarm, Lookout, Schedule, Sight};

/// Tells waiting faults what happens. Cheap to clone, and to ask where nothing waits.
#[derive(Clone, Default)]
pub struct Sentry {
    watch: Option<Arc<Watch>>,
}

/// Where the alarms of each waiting fault come out; one drive takes them.
#[derive(Default)]
pub struct Alarms(BTreeMap<usize, mpsc::UnboundedReceiver<Alarm>>);

struct Watch {
    lookout: Mutex<Lookout>,
    bells: BTreeMap<usize, mpsc::UnboundedSender<Alarm>>,
}

impl Sentry {
    /// A sentry for every fault of the schedule that waits for something.
    pub fn new(schedule: &Schedule) -> (Self, Alarms) {
        let lookout = Lookout::new(schedule);
        if lookout.is_empty() {
            return (Self::default(), Alarms::default());
        }
        let (mut bells, mut alarms) = (BTreeMap::new(), BTreeMap::new());
        let waiting = schedule.faults.iter().enumerate().filter(|(_, fault)| fault.trigger.is_some());
        for (fault, _) in waiting {
            let (bell, alarm) = mpsc::unbounded_channel();
            bells.insert(fault, bell);
            alarms.insert(fault, alarm);
        }
        let watch = Watch { lookout: Mutex::new(lookout), bells };
        (Self { watch: Some(Arc::new(watch)) }, Alarms(alarms))
    }

    /// Something happens at `now`, since the load began.
    pub fn saw(&self, now: Nanos, sight: Sight<'_>) {
        let Some(watch) = &self.watch else { return };
        let alarms = watch.lookout.lock().unwrap_or_else(PoisonError::into_inner).saw(now, sight);
        for alarm in alarms {
            if let Some(bell) = watch.bells.get(&alarm.fault) {
                // Once the faults are over nobody listens.
                let _over = bell.send(alarm);
            }
        }
    }
}

impl Alarms {
    pub(super) fn of(&mut self, fault: usize) -> Option<mpsc::UnboundedReceiver<Alarm>> {
        self.0.remove(&fault)
    }
}
